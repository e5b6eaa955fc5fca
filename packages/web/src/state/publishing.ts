import { UploadError } from "hawser-client";
import { announce } from "./announcements.ts";
import { connect } from "./client.ts";
import { baseName } from "./known-file.ts";
import type { Row } from "./rows.ts";
import { viewOf } from "./rows.ts";
import { ServerRefusal } from "./server-api.ts";
import { session } from "./session.ts";
import { callAsMyself } from "./token-renewal.ts";
import { tell, workOf } from "./work.ts";
import type { Trouble } from "../words/trouble.ts";
import { troubleOf } from "../words/trouble.ts";

/** Makes a file of a finished upload. Answers what went wrong, if anything did. */
export async function publish(row: Row): Promise<Trouble | undefined> {
  const work = workOf(row);
  const { handle } = viewOf(row);
  const current = session.peek();
  if (work === undefined || handle === undefined || current === undefined) return undefined;
  try {
    const fileId = await connect(current).publish(handle, { name: baseName(row.name) });
    tell(work, { fileId });
    announce(`${row.name} is published.`);
    return undefined;
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    return troubleOf(error);
  }
}

/** A picture or film that can be looked at without a token for some minutes. */
export interface Preview {
  readonly url: string;
  readonly type: string;
}

/** Undefined when the server shows no such files, or no longer has this one. */
export async function previewOf(row: Row): Promise<Preview | undefined> {
  const work = workOf(row);
  if (work?.uploadId === undefined || session.peek() === undefined) return undefined;
  const body = { upload: work.uploadId };
  try {
    const response = await callAsMyself("/api/v1/previews", { method: "POST", body });
    return (await response.json()) as Preview; // the page and its server come as one
  } catch (error) {
    if (error instanceof ServerRefusal) return undefined;
    throw error;
  }
}

/** Where a published file is had with a token. */
export function fileAddress(fileId: string): string {
  const version = session.value?.me.graphVersion ?? "v21.0";
  return `${location.origin}/${version}/${fileId}/content`;
}
