import { fileURLToPath } from "node:url";
import { MeasuredProcess } from "../processes.ts";
import type { BenchRequest, Contender, ContenderKind } from "./contender.ts";

const bin = fileURLToPath(new URL("../../packages/server/bin/hawser.js", import.meta.url));
export const appId = "1234567890123456";
export const token = "bench-token";

/** This server, started as `npm start` starts it. */
export const hawser: ContenderKind = { name: "Hawser", start: startHawser };

/** The same server by the two standard protocols. */
export const hawserTus: ContenderKind = {
  name: "Hawser, tus",
  start: async (directory) => {
    const tus = { "Tus-Resumable": "1.0.0" };
    return speaking(await startHawser(directory), {
      create: (length) => ({ ...tus, "Upload-Length": `${length}`, "Upload-Metadata": mp4 }),
      append: (offset) => ({
        ...tus,
        "Upload-Offset": `${offset}`,
        "Content-Type": "application/offset+octet-stream",
      }),
    });
  },
};

export const hawserIetf: ContenderKind = {
  name: "Hawser, IETF",
  start: async (directory) =>
    speaking(await startHawser(directory), {
      create: (length) => ({
        "Upload-Complete": "?0",
        "Upload-Length": `${length}`,
        "Content-Type": "video/mp4",
      }),
      append: (offset) => ({
        "Upload-Complete": "?1",
        "Upload-Offset": `${offset}`,
        "Content-Type": "application/partial-upload",
      }),
    }),
};

const mp4 = `filetype ${Buffer.from("video/mp4").toString("base64")}`;
const authorization = { Authorization: `OAuth ${token}` };

interface StandardHeaders {
  create(length: number): BenchRequest["headers"];
  append(offset: number): BenchRequest["headers"];
}

function speaking(contender: Contender, headers: StandardHeaders): Contender {
  return {
    ...contender,
    create: (length) => ({
      method: "POST",
      path: "/uploads",
      headers: { ...authorization, ...headers.create(length) },
    }),
    append: ({ location }, offset) => ({
      method: "PATCH",
      path: new URL(location ?? "", "http://127.0.0.1").pathname,
      headers: { ...authorization, ...headers.append(offset) },
    }),
  };
}

/**
 * @param flags further flags of `hawser serve`
 * @param environment what more the process is told, such as the keys to a bucket
 */
export async function startHawser(
  dataDirectory: string,
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Contender> {
  const options = ["--max-semi-space-size=8", "--conditions=source"];
  const serve = ["serve", "--port", "0", "--data", dataDirectory, "--log-level", "info", ...flags];
  const process = new MeasuredProcess(globalThis.process.execPath, [...options, bin, ...serve], {
    HAWSER_APP_ID: appId,
    HAWSER_APP_SECRET: "bench-secret",
    HAWSER_TOKEN: token,
    ...environment,
  });
  const [, port] = await process.said(/listening on http:\/\/127\.0\.0\.1:(\d+)/);
  const headers = authorization;
  return {
    name: "Hawser",
    process,
    port: Number(port),
    create: (length) => ({
      method: "POST",
      path: `/v21.0/${appId}/uploads?file_name=b.mp4&file_length=${length}&file_type=video%2Fmp4`,
      headers,
    }),
    append: ({ body }, offset) => ({
      method: "POST",
      path: `/v21.0/${/"id":"([^"]+)"/.exec(body)?.[1] ?? ""}`,
      headers: { ...headers, file_offset: `${offset}` },
    }),
    stop: () => process.stop(),
  };
}
