import type { ServerProcess } from "../support/server-process.ts";
import { repositoryDirectory } from "../support/server-process.ts";
import { SeededRandom } from "../support/seeded.ts";
import { type Judged, judge } from "./answer-judge.ts";
import { wholeAnswersIn } from "./answer-stream.ts";
import { type Fodder, HostileSetting } from "./hostile-setting.ts";
import { type RawOutcome, sendRaw } from "./raw-trial.ts";
import { type HostileBytes, hostileBytes } from "./request-wire.ts";

export interface HostileRun {
  readonly server: ServerProcess;
  readonly seed: number;
  /** The number of the first trial: with the seed it repeats one that failed. */
  readonly from: number;
  /** Ends with the first trial that reaches this many requests. */
  readonly requests: number;
}

export interface HostileReport {
  readonly requests: number;
  readonly trials: number;
  readonly victims: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly silences: ReadonlyMap<string, number>;
  /** The median resident size of the last quarter over that of the second. */
  readonly growth: number;
}

const atOnce = 48;
/** Much of what is sent is not answered before the client finishes its side. */
const quietMs = 150;
const roundTrials = 480;
/** What memory may grow by between the second and the last quarter and still be called flat. */
const growthMax = 1.1;
/** Fewer than this and a server is still warming up in the second quarter. */
const warmRequests = 20_000;

/**
 * Sends hostile requests, many at once, to a server whose log shows nothing below a warning.
 * Throws at the first answer, log line or end of the process that should not be, and if a victim
 * was harmed.
 */
export async function runHostileInput(run: HostileRun): Promise<HostileReport> {
  const setting = await HostileSetting.prepare(run.server);
  const [statuses, silences] = [new Map<number, number>(), new Map<string, number>()];
  const sizes: number[] = [];
  let [requests, trials] = [0, 0];
  while (requests < run.requests) {
    const round = new Round(run, await setting.fodder());
    const first = run.from + trials;
    const judged = await round.run(first, Math.min(roundTrials, run.requests - requests));
    for (const { statuses: seen, silence } of judged) {
      for (const status of seen) count(statuses, status);
      if (silence !== undefined) count(silences, silence);
    }
    requests += round.requests;
    trials += judged.length;
    round.expectHealthy(requests);
    sizes.push((await run.server.residentBytes()).now);
  }
  const victims = await setting.expectUnharmed();
  const growth = growthOf(sizes);
  if (requests >= warmRequests && growth > growthMax)
    throw new Error(`after ${requests} requests memory grew x ${growth}`);
  return { requests, trials, victims, statuses, silences, growth };
}

/** Trials that share one set of things to use up, `atOnce` of them in flight. */
class Round {
  readonly #run: HostileRun;
  readonly #fodder: Fodder;
  requests = 0;

  constructor(run: HostileRun, fodder: Fodder) {
    this.#run = run;
    this.#fodder = fodder;
  }

  async run(first: number, trials: number): Promise<Judged[]> {
    const judged: Judged[] = [];
    let next = first;
    const work = async (): Promise<void> => {
      while (next < first + trials) {
        const trial = next;
        next += 1;
        judged.push(await this.#try(trial));
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, trials) }, work));
    return judged;
  }

  /** A log that is set to warnings stays empty of errors, and of Node's own complaints. */
  expectHealthy(requests: number): void {
    const { server } = this.#run;
    const lines = server.logLines.filter((line) => /"level":[56]0|^\(node|^\s+at /.test(line));
    const [line] = lines;
    if (line !== undefined) {
      throw new Error(`after ${requests} requests the server's log complains: ${line}`);
    }
    if (!server.running) throw new Error(`after ${requests} requests the server is gone`);
  }

  async #try(trial: number): Promise<Judged> {
    const { server, seed } = this.#run;
    // A generator for each trial, so that one that failed can be repeated alone.
    const hostile = hostileBytes(new SeededRandom(seed + trial), this.#fodder);
    this.requests += hostile.requests;
    try {
      const outcome = await this.#send(hostile);
      const secrets = [server.dataDirectory, repositoryDirectory.replace(/\/$/, "")];
      return judge({ sent: hostile.bytes, outcome, secrets });
    } catch (error) {
      throw new Error(this.#told(trial, hostile), { cause: error });
    }
  }

  async #send(hostile: HostileBytes): Promise<RawOutcome> {
    const address = { host: "127.0.0.1", port: this.#run.server.port };
    const settled = (received: Buffer) => wholeAnswersIn(received) >= hostile.requests;
    return await sendRaw(address, { slices: slicesOf(hostile), settled, quietMs });
  }

  #told(trial: number, { bytes }: HostileBytes): string {
    const log = this.#run.server.logLines.slice(-3).join("\n");
    const shown = bytes.length > 4_000 ? `${bytes.length} bytes that begin ` : "";
    const text = JSON.stringify(bytes.subarray(0, 4_000).toString("latin1"));
    return `trial ${trial} of seed ${this.#run.seed} sent ${shown}${text}\n${log}`;
  }
}

function slicesOf({ bytes, cuts }: HostileBytes): Buffer[] {
  const ends = [...cuts, bytes.length];
  return ends.map((end, index) => bytes.subarray(cuts[index - 1] ?? 0, end));
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function growthOf(sizes: readonly number[]): number {
  const quarter = Math.floor(sizes.length / 4);
  const second = median(sizes.slice(quarter, 2 * quarter));
  return median(sizes.slice(-quarter)) / second;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
