import type { Upload } from "../../engine/records.ts";

/** What an upload was begun with that its last answer is to say. */
export interface IetfCreation {
  readonly wantsDigest: boolean;
}

export const protocolName = "ietf";

export function formatCreation(creation: IetfCreation): string {
  return JSON.stringify(creation);
}

export function creationOf({ protocol, creation }: Upload): IetfCreation {
  if (protocol !== protocolName) return { wantsDigest: false };
  // Written by formatCreation and by nothing else.
  return JSON.parse(creation) as IetfCreation;
}
