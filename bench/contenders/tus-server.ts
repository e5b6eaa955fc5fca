import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MeasuredProcess } from "../processes.ts";
import type { Contender, ContenderKind } from "./contender.ts";

const main = fileURLToPath(new URL("tus-server-main.ts", import.meta.url));
const version = { "Tus-Resumable": "1.0.0" };

/** The requests of the protocol. */
export const tusRequests: Pick<Contender, "create" | "append"> = {
  create: (length) => ({
    method: "POST",
    path: "/files",
    headers: { ...version, "Upload-Length": `${length}` },
  }),
  append: ({ location }, offset) => ({
    method: "PATCH",
    path: new URL(location ?? "", "http://127.0.0.1").pathname,
    headers: {
      ...version,
      "Upload-Offset": `${offset}`,
      "Content-Type": "application/offset+octet-stream",
    },
  }),
};

/** The reference tus server for Node with its file store, on the same Node. */
export const tusServer: ContenderKind = {
  name: "@tus/server",
  start: async (dataDirectory) => {
    const directory = join(dataDirectory, "files");
    await mkdir(directory, { recursive: true });
    const process = new MeasuredProcess(globalThis.process.execPath, [main, directory]);
    const [, port] = await process.said(/listening on http:\/\/127\.0\.0\.1:(\d+)/);
    return {
      name: "@tus/server",
      process,
      port: Number(port),
      ...tusRequests,
      stop: () => process.stop(),
    };
  },
};
