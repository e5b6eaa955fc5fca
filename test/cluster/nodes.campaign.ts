import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, type TestContext } from "vitest";

import { Cluster } from "../support/cluster.ts";
import { SeededRandom } from "../support/seeded.ts";
import { type ServerProcess, sourceProgram } from "../support/server-process.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { ClusterSupply } from "./cluster-supply.ts";
import { each, type Fault, runRound, uploadsAtOnce } from "./node-round.ts";
import { Met, NodeTrial } from "./node-trial.ts";
import { BrokenHistoryError } from "./taken-upload.ts";

/*
 * HAWSER_TAKEOVERS sets the number of take-overs between live nodes, HAWSER_NODE_ROUNDS how often
 * each of the faults is done to a cluster, HAWSER_NODE_PAUSES how often a node is stopped for 30 s,
 * HAWSER_NODES_SEED repeats a run.
 */
const takeovers = wholeNumber("HAWSER_TAKEOVERS", 100);
const rounds = wholeNumber("HAWSER_NODE_ROUNDS", 2);
const pauses = wholeNumber("HAWSER_NODE_PAUSES", 1);
const seed = wholeNumber("HAWSER_NODES_SEED", Date.now() % 2 ** 31);

const promise = "no acknowledged byte is lost, written over or acknowledged twice";
const pauseMs = 30_000;
const uploadsPerBatch = 20;

const supply = new ClusterSupply();

const someSeconds = (random: SeededRandom): number => random.integer(2_000, 6_000);
/** Longer than a silent node is waited for, and shorter than a node waits for Postgres. */
const untilTakenOver = (random: SeededRandom): number => random.integer(4_000, 8_000);

interface CountedFault extends Fault {
  readonly rounds: number;
}

const stopped: Omit<Fault, "name" | "lastMs"> = {
  strike: (_, node) => {
    node.signal("SIGSTOP");
  },
  heal: (_, node) => {
    node.signal("SIGCONT");
  },
  isDeaf: true,
};

const faults: readonly CountedFault[] = [
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
    ...stopped,
    lastMs: () => pauseMs,
  },
  ...(["catalog", "blobs"] as const).map((part) => ({
    name: `a node cut off from ${part === "catalog" ? "Postgres" : "the bucket"}`,
    rounds,
    strike: (all: Cluster, node: ServerProcess) => {
      supply.cutOffs.cut(all.nodes.indexOf(node), part);
    },
    lastMs: part === "catalog" ? untilTakenOver : someSeconds,
    heal: (all: Cluster, node: ServerProcess) => {
      supply.cutOffs.mend(all.nodes.indexOf(node), part);
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
  afterAll(() => supply[Symbol.asyncDispose](), 60_000);

  async function clusterFor(uploads: number, context: TestContext): Promise<Cluster> {
    const found = await supply.clusterFor(uploads);
    return typeof found === "string" ? context.skip(found) : found;
  }

  it(`take ${takeovers} uploads over from each other`, async (context) => {
    const met = new Met();
    const perUpload = 5;
    const uploads = Math.ceil(takeovers / perUpload);
    for (let first = 0; first < uploads; first += uploadsPerBatch) {
      const batch = Math.min(uploadsPerBatch, uploads - first);
      const cluster = await clusterFor(batch, context);
      const trials = Array.from(
        { length: batch },
        (_, index) => new NodeTrial(cluster, seed + first + index, met),
      );
      const takeOver = async (trial: NodeTrial): Promise<void> => {
        await trial.create();
        // The first take takes nothing over.
        for (let count = 0; count <= perUpload; count += 1) {
          await trial.takeOver("another");
          await trial.flow();
        }
        await trial.finish();
      };
      await each(trials, takeOver, uploadsAtOnce);
    }
    const n = uploads * perUpload;
    expect(met.takenOver).toBeGreaterThanOrEqual(n);
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
      const met = new Met();
      const random = new SeededRandom(seed);
      for (let round = 1; round <= fault.rounds; round += 1) {
        const cluster = await clusterFor(uploadsAtOnce, context);
        await runRound(cluster, { fault, random, met });
      }
      // Else the fence was not put to the test.
      if (fault.isDeaf === true) expect(met.lateWriters).toBeGreaterThan(0);
      const n = fault.rounds * uploadsAtOnce;
      await recordTrials({ promise, fault: fault.name, n, seed, met: met.inWords() });
    },
  );
});

it(`without the fence a node that was stopped commits late, and that is noticed (seed ${seed})`, async (context) => {
  const unfenced = new URL("../fault/planted/unfenced-postgres.ts", import.meta.url);
  const found = await Cluster.start({
    program: ["--import", fileURLToPath(unfenced), ...sourceProgram],
  });
  await using cluster = typeof found === "string" ? context.skip(found) : found;
  const fault = { ...stopped, name: "a node stopped for some seconds", lastMs: untilTakenOver };
  const random = new SeededRandom(seed);
  const met = new Met();
  const roundsMax = 10;
  let broken: BrokenHistoryError | undefined;
  let tried = 0;
  while (broken === undefined && tried < roundsMax) {
    tried += 1;
    broken = await runRound(cluster, { fault, random, met }).then(() => undefined, brokenHistory);
  }
  if (broken === undefined) expect.unreachable(`nothing was noticed in ${tried} rounds`);
  const harness = `a node stopped for ${pauseMs / 1000} s (SIGSTOP)`;
  const planted = "no fence in the statement that moves an offset in Postgres";
  await recordPlanted({
    harness,
    planted,
    noticedAfter: tried * uploadsAtOnce,
    as: broken.message,
  });
});

/** That a history was broken is what is looked for; anything else is a failure of the test. */
function brokenHistory(error: unknown): BrokenHistoryError {
  if (error instanceof BrokenHistoryError) return error;
  throw error;
}
