import { setImmediate } from "node:timers/promises";
import {
  markCleanStop,
  quarantineOrphans,
  recover,
} from "../../../packages/server/src/engine/recover.ts";
import { sweep } from "../../../packages/server/src/engine/sweep.ts";
import { readBlob } from "../../../packages/server/src/engine/read.ts";
import { handleOf } from "../../../packages/server/src/engine/handle.ts";
import { findUpload } from "../../../packages/server/src/engine/look-up.ts";
import type { EngineParts } from "../../../packages/server/src/engine/parts.ts";
import { MemoryRows } from "../../support/memory-rows.ts";
import { Chance } from "./chance.ts";
import { Composition, type Planted } from "./composition.ts";
import { Model, type KnownUpload } from "./model.ts";
import type { Action, Phase, PlannedBody, PlannedEnd, PlannedWords, Schedule } from "./schedule.ts";
import { appId, Senders } from "./senders.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { SimulatedVolume } from "./simulated-volume.ts";
import { calm, latency, type Weather } from "./weather.ts";

export interface Outcome {
  /** What did not hold, or undefined. */
  readonly failure: string | undefined;
  readonly counts: Model["counts"] & {
    readonly steps: number;
    readonly crashes: number;
    readonly interrupted: number;
  };
  /** Everything that happened, in order. */
  readonly trace: readonly string[];
}

/** More than any schedule takes: what goes on longer goes round in circles. */
const stepsMax = 20_000;

const wholeBody: PlannedBody = {
  batches: [{ bytes: 1_500, gapMs: 1 }],
  fills: true,
  excessBytes: 0,
  ending: "clean",
  announces: true,
};

/** Completes whatever has no length yet, where it is meant to end. */
const lastWords: PlannedWords = {
  completes: "at_end",
  lengthBeside: undefined,
  digest: undefined,
};

/** Resolves when nothing is left to do without an event: ticks come after all promises' turns. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** Runs one schedule against the real engine and blob store; the same schedule runs the same way. */
export async function simulate(schedule: Schedule, planted: Planted = {}): Promise<Outcome> {
  const simulation = new Simulation(schedule, planted);
  const outcome = await simulation.run();
  // Whoever runs many of these gets a turn in between.
  await setImmediate();
  return outcome;
}

class Simulation {
  readonly #schedule: Schedule;
  readonly #planted: Planted;
  readonly #time = new SimulatedTime();
  readonly #chance: Chance;
  readonly #trace: string[] = [];
  readonly #rows = new MemoryRows();
  readonly #model: Model;
  readonly #volume: SimulatedVolume;
  readonly #senders: Senders;
  #weather: Weather;
  #steps = 0;
  #crashes = 0;
  #interrupted = 0;

  constructor(schedule: Schedule, planted: Planted) {
    this.#schedule = schedule;
    this.#planted = planted;
    this.#weather = schedule.weather;
    const chance = new Chance(schedule.seed);
    this.#chance = chance;
    const note = (what: string): void => {
      this.#trace.push(`${this.#time.monotonic()} ${what}`);
    };
    const model = new Model({ rows: this.#rows, note, looksAhead: planted.blind !== true });
    this.#model = model;
    const weather = (): Weather => this.#weather;
    this.#volume = new SimulatedVolume({ chance, later: this.#later, weather, watch: model });
    model.watchOver(this.#volume);
    const unasked = schedule.fenceAlone || planted.impatient === true;
    const { request } = planted;
    const watched = { model, time: this.#time, chance, note };
    this.#senders = new Senders({ ...watched, unasked, request });
    for (const upload of schedule.uploads) model.expect(chance.uuid(), upload);
  }

  readonly #later = (task: () => void): void => {
    this.#time.after(latency(this.#weather, this.#chance), task);
  };

  async run(): Promise<Outcome> {
    for (const phase of this.#schedule.phases) {
      if (this.#model.failure === undefined) await this.#live(phase);
    }
    if (this.#model.failure === undefined) await this.#finish();
    const counts = {
      ...this.#model.counts,
      steps: this.#steps,
      crashes: this.#crashes,
      interrupted: this.#interrupted,
    };
    return { failure: this.#model.failure, counts, trace: this.#trace };
  }

  /** One process from its start to its end. */
  async #live(phase: Phase): Promise<void> {
    const running = this.#start();
    const { end } = phase;
    const session = this.#serve(running, phase.actions);
    const ended = await this.#run(running, session, end.afterSteps);
    if (end.kind === "clean" && ended && !running.dying) {
      this.#senders.stopBodies();
      if (await this.#run(running, session, stepsMax)) {
        await this.#run(running, markCleanStop(running.engine()), stepsMax);
      }
    }
    await this.#end(running, running.dying ? { ...end, kind: "kill" } : end);
  }

  #start(): Composition {
    return new Composition({
      rows: this.#rows,
      volume: this.#volume,
      time: this.#time,
      chance: this.#chance,
      later: this.#later,
      weather: () => this.#weather,
      model: this.#model,
      fenceAlone: this.#schedule.fenceAlone,
      planted: this.#planted,
    });
  }

  async #serve(running: Composition, actions: readonly Action[]): Promise<void> {
    const engine = running.engine();
    await recover(engine);
    const orphans = quarantineOrphans(engine, new AbortController().signal);
    const { uploads } = this.#model;
    for (const [index, known] of uploads.entries()) {
      if (this.#rows.uploads.has(known.id)) continue;
      const lifetimeMs = this.#schedule.uploads[index]?.lifetimeMs ?? 0;
      if (!known.toldCreated) await this.#senders.create(engine, known, lifetimeMs);
    }
    await Promise.all([
      orphans,
      ...actions.map(async (action) => {
        await this.#time.sleep(action.atMs);
        const known = uploads[action.upload % uploads.length];
        if (known !== undefined) await this.#act(running, known, action);
      }),
    ]);
  }

  async #act(running: Composition, known: KnownUpload, action: Action): Promise<void> {
    switch (action.kind) {
      case "append":
        await this.#senders.append(running.engine(), known, action);
        return;
      case "status":
        await this.#senders.status(running.engine(), known);
        return;
      case "cancel":
        await this.#senders.cancel(running.engine(), known);
        return;
      case "sweep":
        await sweep(running.engine(), { dryRun: false });
    }
  }

  /**
   * Runs the process until so many steps are done, or nothing is left to do; false when it had to
   * end before, because something failed that it cannot go on after.
   */
  async #run(running: Composition, work: Promise<unknown>, steps: number): Promise<boolean> {
    let state: "busy" | "done" | "failed" = "busy";
    work.then(
      () => (state = "done"),
      (error: unknown) => {
        state = "failed";
        if (this.#model.counts.faults === 0) this.#model.fail(`a start failed: ${String(error)}`);
      },
    );
    // A process that must end may take a few more steps before it does.
    let lastSteps = this.#chance.integer(0, 4);
    for (let step = 0; step < steps; step += 1) {
      await settled();
      if (this.#model.failure !== undefined) return false;
      if (running.dying && (lastSteps -= 1) < 0) return false;
      if (!this.#time.step()) return this.#idle(state);
      this.#steps += 1;
    }
    if (steps === stepsMax) this.#model.fail("a process goes on and on");
    return true;
  }

  #idle(state: "busy" | "done" | "failed"): boolean {
    const { unanswered } = this.#senders;
    if (unanswered > 0) this.#model.fail(`nothing moves, and ${unanswered} have no answer`);
    else if (state === "busy") this.#model.fail("nothing moves, and the work is not done");
    const open = this.#volume.openKeys.length;
    if (open > 0) this.#model.fail(`${open} descriptors were left open`);
    return state === "done";
  }

  async #end(running: Composition, end: PlannedEnd): Promise<void> {
    if (this.#model.failure !== undefined) return;
    this.#trace.push(`end ${end.kind}`);
    this.#crashes += 1;
    if (this.#senders.unanswered > 0) this.#interrupted += 1;
    running.abandon();
    await settled();
    if (end.kind === "power") this.#volume.losePower();
    else this.#volume.endProcess();
    this.#time.dropEvents();
    this.#senders.forget();
    if (end.robs) this.#rob();
    this.#model.crashed();
    this.#time.jump(end.restMs);
  }

  /** Takes the end of a committed file away. */
  #rob(): void {
    // With a file of its own each take never looks at the file before.
    if (this.#schedule.fenceAlone) return;
    const known = this.#chance.pick(this.#model.uploads);
    const row = this.#rows.uploads.get(known.id);
    const extent = this.#rows.extentsOf(row?.blobId ?? "").at(-1);
    if (row?.state !== "open" || extent === undefined || extent.key === "") return;
    this.#volume.fileOf(extent.key)?.loseEnd(extent.length - 1);
    known.robbed = true;
  }

  /** In calm weather every upload that is still open can be finished, and reads as it was sent. */
  async #finish(): Promise<void> {
    this.#weather = calm;
    const running = this.#start();
    await this.#run(running, this.#finishAll(running), stepsMax);
    await this.#end(running, { kind: "power", afterSteps: 0, restMs: 0, robs: false });
  }

  async #finishAll(running: Composition): Promise<void> {
    await this.#serve(running, []);
    await sweep(running.engine(), { dryRun: false });
    for (const known of this.#model.uploads) await this.#finishOne(running, known);
    this.#model.checkOrphans();
  }

  async #finishOne(running: Composition, known: KnownUpload): Promise<void> {
    const engine = running.engine();
    const upload = await this.#senders.status(engine, known);
    if (upload === undefined) {
      this.#model.fail("an upload cannot be asked for");
      return;
    }
    const once = { asks: true, besideBytes: 0, isRevoked: false };
    const retry = { ...once, body: wholeBody, words: lastWords };
    if (upload.state === "open") await this.#senders.append(engine, known, retry);
    const after = this.#rows.uploads.get(known.id);
    const expected = known.robbed ? "damaged" : "complete";
    if (upload.state === "open" && after?.state !== expected) {
      this.#model.fail(`an open upload became ${String(after?.state)} and not ${expected}`);
    }
    if (after?.state !== "complete") return;
    // The repeat of the last request, with nothing left to send.
    await this.#senders.append(engine, known, retry);
    const again = await findAgain(engine, known.id).catch(String);
    if ((await handleOf(engine, after)) !== again) this.#model.fail("a handle is not the same");
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlob(engine, after.blobId, { from: 0, to: after.offset })) {
      pieces.push(piece);
    }
    const sent = known.bytes.subarray(0, known.length);
    if (!Buffer.concat(pieces).equals(sent)) this.#model.fail("a file reads differently");
  }
}

async function findAgain(engine: EngineParts, id: string): Promise<string> {
  return handleOf(engine, await findUpload(engine, id, appId));
}
