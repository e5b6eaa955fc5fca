import { givenVersions } from "./given-server.ts";

/**
 * What one interop version of the draft asks of a server, as the draft of that version has it. The
 * suite's own table: it shares nothing with the server's, so that a mistake there shows here.
 */
export interface InteropVersion {
  readonly interop: number;
  /** Which field says whether the upload is complete; the older one says the opposite. */
  readonly flag: "Upload-Complete" | "Upload-Incomplete";
  /** The status of an append that was taken and does not complete the upload. */
  readonly appendedStatus: number;
  /** The status of everything that is asked of an upload that is no longer active. */
  readonly endedStatus: number;
  /** Whether interim answers may tell the offset. */
  readonly progress: boolean;
  /** Whether an append must be of the media type application/partial-upload. */
  readonly patchType: boolean;
  /** Whether HEAD and DELETE must be refused when they carry fields of an upload. */
  readonly refusesForeignFields: boolean;
  /** What an append without the flag means. */
  readonly unflaggedAppend: "completes" | "continues" | "is refused";
  /** The key of Upload-Limit for the time that is left; undefined where there is no such field. */
  readonly lifetimeKey: "expires" | "max-age" | undefined;
  /** Whether an empty append to a complete upload must be refused. */
  readonly refusesCompleted: boolean;
}

const first: InteropVersion = {
  interop: 3,
  flag: "Upload-Incomplete",
  appendedStatus: 201,
  endedStatus: 404,
  progress: false,
  patchType: false,
  refusesForeignFields: true,
  unflaggedAppend: "completes",
  lifetimeKey: undefined,
  refusesCompleted: false,
};

const v4: InteropVersion = {
  ...first,
  interop: 4,
  flag: "Upload-Complete",
  unflaggedAppend: "continues",
};

const v5: InteropVersion = { ...v4, interop: 5, progress: true };

const v6: InteropVersion = {
  ...v5,
  interop: 6,
  patchType: true,
  lifetimeKey: "expires",
  refusesCompleted: true,
};

const v7: InteropVersion = {
  ...v6,
  interop: 7,
  appendedStatus: 204,
  endedStatus: 410,
  refusesForeignFields: false,
  unflaggedAppend: "is refused",
  lifetimeKey: "max-age",
};

const v8: InteropVersion = { ...v7, interop: 8 };
const v9: InteropVersion = { ...v8, interop: 9, refusesCompleted: false };
const v10: InteropVersion = { ...v9, interop: 10 };

export const interopVersions: readonly InteropVersion[] = [
  ...[first, v4, v5, v6, v7, v8, v9, v10].filter(
    ({ interop }) => givenVersions?.includes(interop) ?? true,
  ),
];

/** The version whose rules hold where a request names none. */
export const newest = interopVersions.at(-1) ?? v10;
