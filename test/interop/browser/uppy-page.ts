// Runs in the browser: a page of somebody's with Uppy's Dashboard, for a test to look at.
import { showDashboard } from "../../../examples/other-clients/uppy.ts";

/** What Uppy tells of one of its files. */
export interface UppyFile {
  readonly name: string;
  /** Undefined until it is sent. */
  readonly url: string | undefined;
  readonly failure: string | undefined;
}

// As a page would get them from the server that made it.
const given = new URLSearchParams(location.hash.slice(1));
const uppy = showDashboard("#dashboard", {
  url: given.get("url") ?? "",
  token: given.get("token") ?? "",
});

function files(): UppyFile[] {
  return uppy.getFiles().map(({ name, uploadURL, error }) => ({
    name,
    url: uploadURL,
    failure: error ?? undefined,
  }));
}

const page = { files };

declare global {
  /** In the page only. */
  var uppyPage: typeof page;
}
globalThis.uppyPage = page;
