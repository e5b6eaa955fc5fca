import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { CutOffs } from "./cut-offs.ts";
import { Met, NodeTrial } from "./node-trial.ts";

/*
 * HAWSER_TAKEOVERS sets the number of take-overs between live nodes, HAWSER_NODE_ROUNDS how often
 * each of the faults is done to a cluster, HAWSER_NODE_PAUSES how often a node is stopped for 30 s,
 * HAWSER_NODES_SEED repeats a run.
 */
const takeovers = wholeNumber("HAWSER_TAKEOVERS", 100);
const rounds = wholeNumber("HAWSER_NODE_ROUNDS", 3);
const pauses = wholeNumber("HAWSER_NODE_PAUSES", 1);
const seed = wholeNumber("HAWSER_NODES_SEED", Date.now() % 2 ** 31);

const promise = "no acknowledged byte is lost, written over or acknowledged twice";
/** Uploads that flow at a time. */
const uploadsAtOnce = 4;
const pauseMs = 30_000;

interface Fault {
  readonly name: string;
  readonly rounds: number;
  readonly strike: (cluster: Cluster, node: ServerProcess) => Promise<void> | void;
  readonly lastMs: (random: SeededRandom) => number;
  readonly heal: (cluster: Cluster, node: ServerProcess) => Promise<void> | void;
  /** Nobody would get an answer from the node while it lasts, nor be refused by it. */
  readonly isDeaf?: boolean;
}

const cutOffs = new CutOffs();
let cluster: Cluster | string = "it was not started";

beforeAll(async () => {
  cluster = await Cluster.start({ via: (node, parts) => cutOffs.addresses(node, parts) });
}, 120_000);

afterAll(async () => {
  if (typeof cluster !== "string") await cluster[Symbol.asyncDispose]();
  await cutOffs[Symbol.asyncDispose]();
}, 60_000);

function running(context: TestContext): Cluster {
  return typeof cluster === "string" ? context.skip(cluster) : cluster;
}

const someSeconds = (random: SeededRandom): number => random.integer(2_000, 6_000);

const faults: readonly Fault[] = [
  {
    name: "a node killed with SIGKILL and started again",
    rounds,
    strike: async (_, node) => {
      await node.kill9();
    },
    lastMs: someSeconds,
    heal: (_, node) => node.restart({ samePort: true }),
  },
  {
    name: `a node stopped for ${pauseMs / 1000} s (SIGSTOP)`,
    rounds: pauses,
    strike: (_, node) => {
      node.signal("SIGSTOP");
    },
    lastMs: () => pauseMs,
    heal: (_, node) => {
      node.signal("SIGCONT");
    },
    isDeaf: true,
  },
  ...(["catalog", "blobs"] as const).map((part) => ({
    name: `a node cut off from ${part === "catalog" ? "Postgres" : "the bucket"}`,
    rounds,
    strike: (all: Cluster, node: ServerProcess) => {
      cutOffs.cut(all.nodes.indexOf(node), part);
    },
    lastMs: someSeconds,
    heal: (all: Cluster, node: ServerProcess) => {
      cutOffs.mend(all.nodes.indexOf(node), part);
    },
  })),
  {
    name: "Postgres restarted",
    rounds,
    strike: ({ postgres }) => postgres.stop(),
    lastMs: (random) => random.integer(0, 2_000),
    heal: ({ postgres }) => postgres.launch(),
  },
  {
    name: "Postgres killed with SIGKILL",
    rounds,
    strike: ({ postgres }) => postgres.kill(),
    lastMs: (random) => random.integer(0, 2_000),
    heal: ({ postgres }) => postgres.launch(),
  },
];

describe(`three nodes on one Postgres and one bucket (seed ${seed})`, () => {
  it(`take ${takeovers} uploads over from each other`, async (context) => {
    const found = running(context);
    const met = new Met();
    const perUpload = 5;
    const uploads = Math.ceil(takeovers / perUpload);
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < uploads) {
        next += 1;
        const trial = new NodeTrial(found, seed + next, met);
        await trial.create();
        // The first take takes nothing over.
        for (let count = 0; count <= perUpload; count += 1) {
          await trial.takeOver();
          await trial.flow();
        }
        await trial.finish();
      }
    };
    await Promise.all(Array.from({ length: uploadsAtOnce }, one));
    const n = uploads * perUpload;
    expect(met.takeMs.length).toBeGreaterThanOrEqual(n);
    await recordTrials({
      promise,
      fault: "taken over by another node",
      n,
      seed,
      met: met.inWords(),
    });
  }, 0);

  it.for(faults)(
    "go on with what was acknowledged: $name",
    { timeout: 0 },
    async (fault, context) => {
      const found = running(context);
      const met = new Met();
      const random = new SeededRandom(seed);
      for (let round = 1; round <= fault.rounds; round += 1) {
        await runRound(found, { fault, random, met });
      }
      const n = fault.rounds * uploadsAtOnce;
      await recordTrials({ promise, fault: fault.name, n, seed, met: met.inWords() });
    },
  );
});

interface Round {
  readonly fault: Fault;
  readonly random: SeededRandom;
  readonly met: Met;
}

/** Uploads flow at the node when the fault strikes, and are taken over while it lasts. */
async function runRound(found: Cluster, { fault, random, met }: Round): Promise<void> {
  const struck = random.integer(0, found.nodes.length - 1);
  const node = found.nodes[struck];
  if (node === undefined) throw new Error("there is no such node");
  const trials = Array.from(
    { length: uploadsAtOnce },
    () => new NodeTrial(found, random.word(), met),
  );
  const each = (work: (trial: NodeTrial) => Promise<void>) => Promise.all(trials.map(work));
  await each(async (trial) => {
    await trial.create();
    await trial.append();
    await trial.takeOver(struck);
    await trial.flow();
  });
  await fault.strike(found, node);
  const healed = sleep(fault.lastMs(random)).then(() => fault.heal(found, node));
  // It is waited for below; the uploads must not wait.
  healed.catch(() => undefined);
  await each(async (trial) => {
    if (fault.isDeaf === true) trial.avoid(struck);
    await trial.takeOver();
    await trial.flow();
    await trial.append();
    await trial.takeOver();
  });
  await healed;
  for (const trial of trials) trial.avoid(undefined);
  await each(async (trial) => {
    await trial.flow();
    await trial.finish();
  });
  await eventually(
    async () => {
      const asked = found.nodes.map(({ url }) => fetch(`${url}/readyz`).then(({ ok }) => ok));
      const answers = await Promise.all(asked).catch(() => [false]);
      return answers.every(Boolean) ? true : undefined;
    },
    { what: "every node to be ready again", timeoutMs: 60_000, intervalMs: 100 },
  );
}
