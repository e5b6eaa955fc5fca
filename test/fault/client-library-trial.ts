import { ietf } from "../../packages/client/src/dialects/ietf.ts";
import { tus } from "../../packages/client/src/dialects/tus.ts";
import {
  graph,
  type NodeInput,
  nodePlatform,
  type Platform,
  UploadError,
  upload,
} from "../../packages/client/src/index.ts";
import { NodeHttpTransport } from "../../packages/client/src/transports/node-http.ts";
import { within } from "../support/eventually.ts";
import { HostileProxy, type HostileRoute } from "../support/hostile-proxy.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import type { ClientCase } from "./client-library-cases.ts";
import { GraphPeer } from "./graph-peer.ts";

/** A hang guard: no run takes a tenth of it, whatever it meets. */
const runMsMax = 60_000;
/** Where nothing stalls on purpose nothing is taken for stalled on a busy machine. */
const patient = { stallMs: 30_000, answerMs: 30_000 };
/** What the trials speak, by their seeds. */
const dialects = [graph, tus, ietf];
const impatient = { stallMs: 1000, answerMs: 1500 };

export interface CampaignOutcome {
  /** Runs until one broke a promise, or all of them. */
  readonly runs: number;
  readonly whole: number;
  /** How many ended with each error. */
  readonly errors: ReadonlyMap<string, number>;
  readonly lies: number;
  readonly broken: string | undefined;
}

type End =
  | { readonly kind: "whole"; readonly handle: string }
  | { readonly kind: "error"; readonly error: UploadError };

type SpokenCase = ClientCase & { readonly dialect: (typeof dialects)[number] };

/** The library in front of a line and a proxy that do to it what the cases say. */
class ClientTrial {
  readonly #server: ServerProcess;
  readonly #hostile: HostileProxy;
  readonly #line: TcpProxy;

  constructor(server: ServerProcess, hostile: HostileProxy, line: TcpProxy) {
    this.#server = server;
    this.#hostile = hostile;
    this.#line = line;
  }

  /** Throws what was broken. */
  async run(each: ClientCase, seed: number): Promise<{ end: End; lies: number }> {
    const content = patternBytes({ seed, length: each.length });
    this.#plan(each);
    const [dialect = graph] = dialects.slice(seed % dialects.length);
    const transport = new NodeHttpTransport();
    const before = this.#hostile.lies;
    try {
      const end = await this.#upload(content, { ...each, dialect }, { ...nodePlatform, transport });
      const lies = this.#hostile.lies - before;
      judge(each, end, lies);
      if (end.kind === "whole") await this.#compare(end.handle, content);
      return { end, lies };
    } finally {
      transport.close();
      this.#line.resetAll();
    }
  }

  #plan({ faults, line = [] }: ClientCase): void {
    const first = this.#line.connections.length;
    this.#line.setPlan((index) => line[index - first] ?? {});
    const met: Record<HostileRoute, number> = { start: 0, append: 0, ask: 0, other: 0 };
    this.#hostile.plan = (route) => {
      const fault = faults[route]?.[met[route]];
      met[route] += 1;
      return fault;
    };
  }

  async #upload(content: Buffer, each: SpokenCase, platform: Platform<NodeInput>): Promise<End> {
    const controller = new AbortController();
    const { appId, token } = this.#server;
    const { dialect } = each;
    const options = {
      url: this.#line.url,
      ...{ token, name: "hostile.pdf", type: "application/pdf" },
      ...(stalls(each) ? impatient : patient),
      chunkSize: each.chunkSize,
      retry: { attempts: 40, waitMs: 1, waitMsMax: 20 },
      signal: controller.signal,
    };
    // Not the platform named by default: its connections would outlive the run and its plan.
    const task = dialect.needsApp
      ? upload(content, { ...options, appId, dialect }, platform)
      : upload(content, { ...options, dialect }, platform);
    const ended = task.result.then(
      ({ handle }): End => ({ kind: "whole", handle }),
      (error: unknown): End => {
        if (error instanceof UploadError) return { kind: "error", error };
        throw new Error("it ended with what is no UploadError", { cause: error });
      },
    );
    try {
      const what = "an end";
      return await within(ended, { what, timeoutMs: runMsMax });
    } finally {
      controller.abort();
    }
  }

  async #compare(handle: string, content: Buffer): Promise<void> {
    const stored = await new GraphPeer(this.#server).download(handle);
    if (!stored.equals(content)) throw new Error("it ended well with other bytes than the file's");
  }
}

function stalls({ faults, line = [] }: ClientCase): boolean {
  const all = Object.values(faults).flat();
  return line.length > 0 || all.some((fault) => fault?.kind === "stall");
}

function judge({ ends }: ClientCase, end: End, lies: number): void {
  if (end.kind === "error" && end.error.message === "") throw new Error("an error without words");
  if (ends === "either") return;
  // The answer that was to be a lie may have had no offset in it.
  const expected = ends === "contradiction" && lies > 0 ? "offset-contradiction" : "whole";
  const met = end.kind === "whole" ? "whole" : end.error.code;
  if (met === expected) return;
  const words = end.kind === "error" ? `: ${end.error.message}` : "";
  throw new Error(`it had to end ${expected} and ended ${met}${words}`);
}

export interface CampaignPlan {
  readonly cases: readonly ClientCase[];
  readonly seed: number;
  readonly atOnce: number;
}

/** Runs the cases, some at a time, until one breaks a promise. */
export async function runClientCases(
  server: ServerProcess,
  { cases, seed, atOnce }: CampaignPlan,
): Promise<CampaignOutcome> {
  const errors = new Map<string, number>();
  let [next, runs, whole, told] = [0, 0, 0, 0];
  let broken: string | undefined;
  const worker = async (): Promise<void> => {
    await using hostile = await HostileProxy.start({ host: "127.0.0.1", port: server.port });
    await using line = await TcpProxy.start(hostile.address);
    const trial = new ClientTrial(server, hostile, line);
    for (let each = cases[next]; each !== undefined && broken === undefined; each = cases[next]) {
      const index = next;
      next += 1;
      try {
        const { end, lies } = await trial.run(each, new SeededRandom(seed + index).word());
        told += lies;
        if (end.kind === "whole") whole += 1;
        else errors.set(end.error.code, (errors.get(end.error.code) ?? 0) + 1);
      } catch (error) {
        broken ??= `${String(error)} (${each.name}, run ${index} of seed ${seed})`;
      }
      runs += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { runs, whole, errors, lies: told, broken };
}
