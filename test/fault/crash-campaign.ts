import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";

import { SeededRandom } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { within } from "../support/eventually.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { BundledProgram } from "./bundled-program.ts";
import { uploadUntilCrash, verifyAll } from "./crash-cycle.ts";
import type { CrashSite } from "./crash-site.ts";
import { type KnownUpload, LostByteError, type Moment } from "./known-upload.ts";

/*
 * A crash at any moment: the clients know what they were ever told, and afterwards the server must
 * have at least that, unchanged, and go on from it to the end.
 */
const promise = "an acknowledged byte survives";

const cyclesPerSite = 25;
/** How many crashes are followed by another one while the server recovers. */
const doubleCrashShare = 0.15;
/** How many crashes do not wait until a byte was acknowledged. */
const earlyShare = 0.15;
/** So many cycles at least are made where time is short, as in CI; elsewhere half of them. */
const cyclesLeastInCi = 20;

/** How one cycle's server is started, and how it dies. */
export interface CrashPlan {
  /** Modules loaded before the server, as URLs. */
  readonly preloads?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The preloads kill the server; otherwise it is brought down at a random moment. */
  readonly killsItself?: boolean;
  /** Begin with a data directory that never was. */
  readonly onFreshSite?: boolean;
}

export interface CrashCampaign {
  /** As in "kill -9 at a random moment". */
  readonly fault: string;
  readonly seed: number;
  readonly cycles: number;
  /** Past this the campaign stops early, though not before `cyclesLeast`, and says so. */
  readonly budgetMs?: number;
  readonly makeSite: () => Promise<CrashSite>;
  /** What is loaded before every server of the campaign. */
  readonly preloads?: readonly string[];
  readonly plan?: (cycle: number) => CrashPlan;
}

/** Runs the cycles and records what they met. The first lost byte fails it. */
export async function runCrashCampaign(campaign: CrashCampaign): Promise<void> {
  await using run = await CampaignRun.make(campaign);
  for await (const lost of run.cycles()) throw run.failure(lost);
  const { fault, seed } = campaign;
  await recordTrials({ promise, fault, n: run.done, seed, met: run.met });
  expect(run.moments.get("in the middle"), "no crash met an upload in the middle").toBeDefined();
}

/** Runs cycles with a fault in the server until a lost byte is noticed, and records that. */
export async function expectNoticed(campaign: CrashCampaign, planted: string): Promise<void> {
  await using run = await CampaignRun.make(campaign);
  for await (const lost of run.cycles()) {
    const noticedAfter = run.done + 1;
    await recordPlanted({ harness: campaign.fault, planted, noticedAfter, as: lost.message });
    return;
  }
  expect.fail(`"${planted}" was not noticed in ${run.done} cycles; seed ${campaign.seed}`);
}

class CampaignRun {
  readonly moments = new Map<Moment, number>();
  readonly #campaign: CrashCampaign;
  readonly #bundled: BundledProgram;
  #site: CrashSite | undefined;
  #cyclesOnSite = 0;
  #server: ServerProcess | undefined;
  #done = 0;
  #uploads = 0;
  #doubleCrashes = 0;
  readonly #startedMs = performance.now();

  private constructor(campaign: CrashCampaign, bundled: BundledProgram) {
    this.#campaign = campaign;
    this.#bundled = bundled;
  }

  static async make(campaign: CrashCampaign): Promise<CampaignRun> {
    return new CampaignRun(campaign, await BundledProgram.make());
  }

  get done(): number {
    return this.#done;
  }

  get met(): string {
    const { cycles, budgetMs = Infinity } = this.#campaign;
    const moments = Array.from(this.moments, ([moment, count]) => `${count} ${moment}`).join(", ");
    const seconds = (performance.now() - this.#startedMs) / 1_000 / this.#done;
    const isShort = this.#done < cycles;
    const why = `; ${this.#done} of ${cycles} cycles: ${budgetMs / 1_000} s were over`;
    return (
      `${this.#uploads} uploads: ${moments}; ${this.#doubleCrashes} crashes during recovery; ` +
      `${seconds.toFixed(2)} s a cycle${isShort ? why : ""}`
    );
  }

  get #hasTime(): boolean {
    const { cycles, budgetMs = Infinity } = this.#campaign;
    if (this.#done < cyclesLeast(cycles)) return true;
    return performance.now() - this.#startedMs < budgetMs;
  }

  /** Yields what was lost, when something was. */
  async *cycles(): AsyncGenerator<LostByteError> {
    const { seed, cycles } = this.#campaign;
    while (this.#done < cycles && this.#hasTime) {
      // Each cycle has a generator of its own, so that its timing cannot shift the next one's.
      const random = new SeededRandom(seed + this.#done);
      try {
        await this.#cycle(random);
      } catch (error) {
        if (error instanceof LostByteError) yield error;
        throw this.failure(error);
      }
      this.#done += 1;
    }
  }

  /** With what it takes to repeat the cycle and to understand it. */
  failure(cause: unknown): Error {
    const log = this.#server?.logLines.slice(-20).join("\n") ?? "";
    return new Error(`cycle ${this.#done} of seed ${this.#campaign.seed} failed\n${log}`, {
      cause,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leaveSite();
    await this.#bundled[Symbol.asyncDispose]();
  }

  async #cycle(random: SeededRandom): Promise<void> {
    const plan = this.#campaign.plan?.(this.#done) ?? {};
    const site = await this.#siteFor(plan);
    const uploads = await this.#crash(site, plan, random);
    if (random.fraction() < doubleCrashShare) await this.#crashDuringRecovery(site, random);
    await verifyAll(await this.#running(site), uploads);
    this.#uploads += uploads.length;
    for (const { moment } of uploads) {
      this.moments.set(moment, (this.moments.get(moment) ?? 0) + 1);
    }
  }

  /** A fresh one now and then: what was uploaded before stays, and a disk is finite. */
  async #siteFor({ onFreshSite = false }: CrashPlan): Promise<CrashSite> {
    if (onFreshSite || this.#cyclesOnSite >= cyclesPerSite) await this.#leaveSite();
    this.#cyclesOnSite += 1;
    this.#site ??= await this.#campaign.makeSite();
    return this.#site;
  }

  async #leaveSite(): Promise<void> {
    await this.#server?.remove();
    this.#server = undefined;
    await this.#site?.remove();
    this.#site = undefined;
    this.#cyclesOnSite = 0;
  }

  /** The campaign's own server on the site, brought up again when it is down. */
  async #running(site: CrashSite): Promise<ServerProcess> {
    if (this.#server === undefined) this.#server = await this.#start(site, {});
    else if (!this.#server.running) await this.#server.restart();
    return this.#server;
  }

  async #crash(
    site: CrashSite,
    plan: CrashPlan,
    random: SeededRandom,
  ): Promise<readonly KnownUpload[]> {
    if (plan.killsItself === true) return this.#crashAsPlanned(site, plan, random);
    const server = await this.#running(site);
    // Some crashes fall before anything is acknowledged; more of them would teach little.
    const early = random.fraction() < earlyShare;
    const fall = async (underWay: Promise<unknown>): Promise<void> => {
      if (!early) await underWay;
      await sleep(random.integer(0, random.pick([20, 100, 400])));
      if (!server.running) throw new Error("the server ended by itself");
      await site.crash(server);
    };
    return uploadUntilCrash({ server, random, fall });
  }

  /** On a server of this cycle's own, which brings about its end itself. */
  async #crashAsPlanned(
    site: CrashSite,
    plan: CrashPlan,
    random: SeededRandom,
  ): Promise<readonly KnownUpload[]> {
    await this.#server?.kill9();
    const server = await this.#start(site, plan).catch(deathAtStart);
    // A crash too, with nobody connected yet.
    if (server === undefined) return [];
    const fall = async (): Promise<void> => {
      const what = "the server to meet its end";
      const { signal } = await within(server.ended, { what, timeoutMs: 120_000 });
      if (signal !== "SIGKILL") throw new Error("the server ended in another way");
    };
    try {
      return await uploadUntilCrash({ server, random, fall });
    } finally {
      await server.remove();
    }
  }

  /** What recovery has half done must be as good a start for the next recovery. */
  async #crashDuringRecovery(site: CrashSite, random: SeededRandom): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    // Whether it comes up before the crash or not is chance.
    const starting = server.restart().catch(() => undefined);
    await sleep(random.integer(50, 400));
    await site.crash(server);
    await starting;
    this.#doubleCrashes += 1;
  }

  #start(site: CrashSite, plan: CrashPlan): Promise<ServerProcess> {
    const preloads = [...(this.#campaign.preloads ?? []), ...(plan.preloads ?? [])];
    return ServerProcess.start({
      dataDirectory: site.dataDirectory,
      program: [...preloads.flatMap((module) => ["--import", module]), ...this.#bundled.program],
      environment: { ...this.#bundled.environment, ...plan.environment },
    });
  }
}

/** Too few cycles would show nothing, however slow the machine is. */
function cyclesLeast(cycles: number): number {
  const half = Math.ceil(cycles / 2);
  return (process.env.CI ?? "") === "" ? half : Math.min(half, cyclesLeastInCi);
}

/** Undefined when the server killed itself while it was starting; anything else is a failure. */
function deathAtStart(error: unknown): undefined {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  if (!cause.includes('"signal":"SIGKILL"')) throw error;
  return undefined;
}
