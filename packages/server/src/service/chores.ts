import { limits } from "../base/limits.ts";
import { assembleNext } from "../engine/assemble.ts";
import { digestDue } from "../engine/digest.ts";
import type { EngineParts } from "../engine/parts.ts";
import { quarantineOrphans } from "../engine/recover.ts";
import { sweep } from "../engine/sweep.ts";
import { ClockWatch } from "./clock-watch.ts";

/**
 * What a server does besides answering: one look for orphans, then sweeping at an interval, and the
 * digests that apps want, and the assemblies that are due. The signal ends all of it between two
 * steps, and the promise settles then.
 */
export async function doChores(
  engine: EngineParts,
  { sweepIntervalMs, signal }: { readonly sweepIntervalMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const unreadable = new Set<string>();
  const watch = new ClockWatch(engine.clock);
  const run = new Chores(engine, signal);
  await Promise.all([
    run
      .once(() => quarantineOrphans(engine, signal))
      .then(() => run.every(sweepIntervalMs, () => sweepInCalm(engine, { watch, signal }))),
    run.every(limits.digestLookMs, () => digestDue(engine, { unreadable, signal })),
    run.every(limits.assemblyLookMs, () => assembleDue(engine, signal)),
  ]);
}

async function sweepInCalm(
  engine: EngineParts,
  { watch, signal }: { readonly watch: ClockWatch; readonly signal: AbortSignal },
): Promise<void> {
  const pauseMs = watch.pauseMs();
  if (pauseMs === 0) await sweep(engine, { dryRun: false, signal });
  else engine.log.warn({ pauseMs }, "the clock was set: nothing is swept meanwhile");
}

/** One after another, until none is due. */
async function assembleDue(engine: EngineParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await assembleNext(engine, signal))) continue;
}

/** A chore that fails is told of; it fails nothing else, and not its own next time. */
class Chores {
  readonly #engine: EngineParts;
  readonly #signal: AbortSignal;

  constructor(engine: EngineParts, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  async once(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#signal.aborted) this.#engine.log.error({ err: error }, "a chore failed");
    }
  }

  async every(intervalMs: number, work: () => Promise<unknown>): Promise<void> {
    const { clock } = this.#engine;
    while (!this.#signal.aborted) {
      await this.once(async () => {
        await clock.sleep(intervalMs, this.#signal);
        await work();
      });
    }
  }
}
