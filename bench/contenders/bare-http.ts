import { fileURLToPath } from "node:url";
import { MeasuredProcess } from "../processes.ts";
import type { ContenderKind } from "./contender.ts";

const main = fileURLToPath(new URL("bare-http-main.ts", import.meta.url));

/** Node's own HTTP server, started as Hawser is, and nothing else: the floor under whatever is built on it. */
export const bareHttp: ContenderKind = {
  name: "bare node:http",
  start: async () => {
    const process = new MeasuredProcess(globalThis.process.execPath, [
      "--max-semi-space-size=8",
      main,
    ]);
    const [, port] = await process.said(/listening on http:\/\/127\.0\.0\.1:(\d+)/);
    return {
      name: "bare node:http",
      process,
      port: Number(port),
      create: () => ({ method: "POST", path: "/", headers: {} }),
      append: () => ({ method: "POST", path: "/", headers: {} }),
      stop: () => process.stop(),
    };
  },
};
