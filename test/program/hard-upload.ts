import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type DirectionFaults, type FaultKind, TcpProxy } from "../support/tcp-proxy.ts";
import {
  type CommandResult,
  HawserCommand,
  jsonFrom,
  runHawser,
  uploadFrom,
} from "./hawser-command.ts";

export interface Setting {
  readonly server: ServerProcess;
  readonly stateDirectory: string;
  /** What Node runs in place of the clone's own command. */
  readonly program?: readonly string[];
}

/** What ends a connection: a cut on the way, or the death of one of its ends. */
type Blow = "cut" | "kill-client" | "kill-server";

export interface HardUploadOptions extends Setting {
  readonly path: string;
  readonly length: number;
  readonly seed: number;
  readonly cuts: number;
  readonly clientKills: number;
  readonly serverKills: number;
}

export interface HardUploadReport {
  readonly handle: string;
  /** Blows that really fell. */
  readonly cuts: number;
  readonly clientKills: number;
  readonly serverKills: number;
  /** Bytes towards the server, repeated ones included. */
  readonly carriedBytes: number;
  readonly clientPeakBytes: number;
  readonly serverPeakBytes: number;
}

interface PlannedBlow {
  readonly blow: Blow;
  readonly faults: DirectionFaults;
}

const cutKinds: readonly FaultKind[] = ["close", "reset", "half-close"];

/** All blows in a seeded order; together they leave a rest, so that each of them falls. */
function planBlows(options: HardUploadOptions): PlannedBlow[] {
  const random = new SeededRandom(options.seed);
  const blows: Blow[] = [
    ...Array<Blow>(options.cuts).fill("cut"),
    ...Array<Blow>(options.clientKills).fill("kill-client"),
    ...Array<Blow>(options.serverKills).fill("kill-server"),
  ];
  const ordered = blows
    .map((blow) => ({ blow, rank: random.word() }))
    .toSorted((a, b) => a.rank - b.rank);
  const farthest = Math.floor(options.length / (blows.length + 1));
  // More than a question about the offset takes: the blow falls on the bytes themselves.
  return ordered.map(({ blow }) => {
    const afterBytes = random.integer(4096, farthest);
    // A stall holds the moment until the process is killed.
    const fault = blow === "cut" ? random.pick(cutKinds) : "stall";
    return { blow, faults: { afterBytes, fault } };
  });
}

/** `hawser put` through a network that fails, with both processes killed on the way. */
export async function uploadTheHardWay(options: HardUploadOptions): Promise<HardUploadReport> {
  const { server, path } = options;
  const blows = planBlows(options);
  const fallen: Blow[] = [];
  await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
  const happened = () => proxy.connections.filter((each) => each.happened !== undefined).length;
  proxy.setPlan(() => {
    const next = blows[happened()];
    return next === undefined ? {} : { toServer: next.faults };
  });
  const put = ["put", path, "--json", "--to", proxy.url, ...credentials(server)];
  let [clientPeakBytes, serverPeakBytes] = [0, 0];
  let client = new HawserCommand(put, options);
  for (;;) {
    const ended = await Promise.race([client.result, sleep(10)]);
    const blow = happened() > fallen.length ? blows[fallen.length]?.blow : undefined;
    if (blow !== undefined) fallen.push(blow);
    if (blow === "kill-client") {
      const killed = client.kill9();
      proxy.resetAll();
      await killed;
      clientPeakBytes = Math.max(clientPeakBytes, (await client.result).residentPeakBytes);
      client = new HawserCommand(put, options);
    } else if (blow === "kill-server") {
      serverPeakBytes = Math.max(serverPeakBytes, (await server.residentBytes()).peak);
      const killed = server.kill9();
      proxy.resetAll();
      await killed;
      await server.restart({ samePort: true });
    } else if (ended !== undefined) {
      const { peak } = await server.residentBytes();
      const count = (wanted: Blow) => fallen.filter((each) => each === wanted).length;
      return {
        handle: handleFrom(ended),
        cuts: count("cut"),
        clientKills: count("kill-client"),
        serverKills: count("kill-server"),
        carriedBytes: proxy.connections.reduce((sum, each) => sum + each.toServerBytes, 0),
        clientPeakBytes: Math.max(clientPeakBytes, ended.residentPeakBytes),
        serverPeakBytes: Math.max(serverPeakBytes, peak),
      };
    }
  }
}

/** `hawser put` with nothing in the way. */
export async function uploadPlainly(path: string, setting: Setting): Promise<string> {
  const { server } = setting;
  const put = ["put", path, "--json", "--to", server.url, ...credentials(server)];
  return handleFrom(await runHawser(put, setting));
}

/** `hawser publish` and `hawser get`: answers where the file was put. */
export async function publishAndGet(
  handle: string,
  name: string,
  setting: Setting,
): Promise<string> {
  const { server, stateDirectory } = setting;
  const where = ["--json", "--to", server.url, ...credentials(server)];
  const { id } = jsonFrom(await runHawser(["publish", handle, ...where], setting));
  if (typeof id !== "string") throw new Error("publish printed no id");
  const path = join(stateDirectory, name);
  jsonFrom(await runHawser(["get", id, "--output", path, ...where], setting));
  return path;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer); // no encoding
  return hash.digest("hex");
}

function credentials({ appId, token }: ServerProcess): string[] {
  return ["--app", appId, "--token", token];
}

function handleFrom(result: CommandResult): string {
  const { handle } = uploadFrom(result);
  if (typeof handle !== "string") throw new Error(`put printed no handle: ${result.stdout}`);
  return handle;
}
