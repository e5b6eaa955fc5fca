import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import type { SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type Met, NodeTrial } from "./node-trial.ts";
import { BrokenHistoryError } from "./taken-upload.ts";

/** Uploads that flow at a time. */
export const uploadsAtOnce = 4;

/** What is done to a cluster, of which one node is the one that is struck. */
export interface Fault {
  readonly name: string;
  readonly strike: (cluster: Cluster, node: ServerProcess) => Promise<void> | void;
  readonly lastMs: (random: SeededRandom) => number;
  readonly heal: (cluster: Cluster, node: ServerProcess) => Promise<void> | void;
  /** Nobody would get an answer from the node while it lasts, nor be refused by it. */
  readonly isDeaf?: boolean;
}

export interface Round {
  readonly fault: Fault;
  readonly random: SeededRandom;
  readonly met: Met;
}

/**
 * Uploads flow at the node when the fault strikes, and are taken over while it lasts. Half of them
 * then get more bytes, so that the struck node comes back to another offset; the others do not, so
 * that nothing but the fence tells it that it is late.
 */
export async function runRound(cluster: Cluster, { fault, random, met }: Round): Promise<void> {
  const struck = random.integer(0, cluster.nodes.length - 1);
  const node = cluster.nodes[struck];
  if (node === undefined) throw new Error("there is no such node");
  const trials = Array.from(
    { length: uploadsAtOnce },
    () => new NodeTrial(cluster, random.word(), met),
  );
  const heldFirst = random.integer(0, 1);
  await each(trials, async (trial) => {
    await trial.create();
    await trial.append();
    await trial.takeOver(struck);
    await trial.flow();
  });
  await fault.strike(cluster, node);
  const healed = sleep(fault.lastMs(random)).then(() => fault.heal(cluster, node));
  // It is waited for below; the uploads must not wait.
  healed.catch(() => undefined);
  try {
    await each(trials, async (trial, index) => {
      if (fault.isDeaf === true) trial.avoid(struck);
      if (index % 2 === heldFirst) {
        await trial.hold(healed);
        return;
      }
      await trial.takeOver();
      await trial.flow();
      await trial.append();
      await trial.takeOver();
    });
  } finally {
    await healed;
  }
  for (const trial of trials) trial.avoid(undefined);
  await each(trials, async (trial) => {
    await trial.flow();
    await trial.finish();
  });
  await everyNodeReady(cluster);
}

/** All of them come to an end, so many at a time; of what went wrong a broken history says most. */
export async function each(
  trials: readonly NodeTrial[],
  work: (trial: NodeTrial, index: number) => Promise<void>,
  atOnce = trials.length,
): Promise<void> {
  const left = trials.entries();
  const failures: unknown[] = [];
  const workers = Array.from({ length: atOnce }, async () => {
    for (const [index, trial] of left) {
      await work(trial, index).catch((error: unknown) => failures.push(error));
    }
  });
  await Promise.all(workers);
  if (failures.length === 0) return;
  throw failures.find((failure) => failure instanceof BrokenHistoryError) ?? failures[0];
}

async function everyNodeReady({ nodes }: Cluster): Promise<void> {
  await eventually(
    async () => {
      const asked = nodes.map(({ url }) => fetch(`${url}/readyz`).then(({ ok }) => ok));
      const answers = await Promise.all(asked).catch(() => [false]);
      return answers.every(Boolean) ? true : undefined;
    },
    { what: "every node to be ready again", timeoutMs: 60_000, intervalMs: 100 },
  );
}
