import fc from "fast-check";
import type { PutFate } from "../../support/memory-bucket.ts";
import { ManyKeys, type PlantedInKeys } from "./many-keys.ts";

const which = fc.nat({ max: 5 });
const fate = fc.constantFrom<PutFate>("lands", "lands", "lands", "late", "lost");
const hourMs = 60 * 60_000;

type Step = (keys: ManyKeys) => Promise<void> | void;

const anyAppend = fc.record({ which, length: fc.integer({ min: 1, max: 90 }), fate });

/** Steps with a name each, so that a counterexample can be read. */
function named(name: string, arbitrary: fc.Arbitrary<Step>): fc.Arbitrary<NamedStep> {
  return arbitrary.map((run) => ({ run, toString: () => name }));
}

interface NamedStep {
  readonly run: Step;
  toString(): string;
}

const whole = anyAppend.map(({ which: one, length }): Step => async (keys) => {
  await keys.take(one);
  await keys.write(0, length, "lands");
  await keys.commit(0);
});

const common = [
  { weight: 6, arbitrary: named("append", whole) },
  {
    weight: 4,
    arbitrary: named(
      "take",
      which.map(
        (one): Step =>
          (keys) =>
            keys.take(one),
      ),
    ),
  },
  {
    weight: 8,
    arbitrary: named(
      "write",
      anyAppend.map(({ which: one, length, fate: end }): Step => {
        return (keys) => keys.write(one, length, end);
      }),
    ),
  },
  {
    weight: 8,
    arbitrary: named(
      "commit",
      which.map(
        (one): Step =>
          (keys) =>
            keys.commit(one),
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: named(
      "cancel",
      which.map(
        (one): Step =>
          (keys) =>
            keys.cancel(one),
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: named(
      "publish",
      which.map(
        (one): Step =>
          (keys) =>
            keys.publish(one),
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: named(
      "remove",
      which.map(
        (one): Step =>
          (keys) =>
            keys.remove(one),
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: named(
      "look",
      which.map(
        (one): Step =>
          (keys) =>
            keys.look(one),
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: named(
      "assemble",
      fate.map(
        (end): Step =>
          (keys) =>
            keys.assemble(end),
      ),
    ),
  },
  {
    weight: 4,
    arbitrary: named(
      "sweep",
      fc.constant((keys: ManyKeys) => keys.sweep()),
    ),
  },
  {
    weight: 4,
    arbitrary: named(
      "pass",
      fc.constantFrom(60_000, hourMs, 25 * hourMs, 8 * 24 * hourMs).map((ms): Step => (keys) => {
        keys.pass(ms);
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: named(
      "land late",
      fc.constant((keys: ManyKeys) => {
        keys.landLate(1);
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: named(
      "crash",
      fc.constant((keys: ManyKeys) => {
        keys.crash();
      }),
    ),
  },
];

const backups = [
  {
    weight: 2,
    arbitrary: named(
      "save",
      fc.constant((keys: ManyKeys) => {
        keys.save();
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: named(
      "restore",
      which.map(
        (one): Step =>
          (keys) =>
            keys.restore(one),
      ),
    ),
  },
];

export interface Trials {
  readonly seed: number;
  readonly runs: number;
  /** Also with catalogs put back from a backup. */
  readonly restores: boolean;
  readonly planted?: PlantedInKeys;
}

export interface TrialsReport {
  readonly runs: number;
  readonly failure: string | undefined;
  readonly counts: ManyKeys["counts"];
}

/** Random lives of a few uploads; after each step everything told must be there. */
export async function tryLives({ seed, runs, restores, planted }: Trials): Promise<TrialsReport> {
  const total = { ...new ManyKeys(0).counts };
  const steps = fc.array(fc.oneof(...common, ...(restores ? backups : [])), {
    minLength: 5,
    maxLength: 60,
    size: "max",
  });
  const property = fc.asyncProperty(fc.nat(), steps, async (chance, life) => {
    const keys = new ManyKeys(chance, planted);
    for (const length of [300, 150, 40, 9]) await keys.create(length);
    await keys.join([3, 3]);
    for (const step of life) {
      await step.run(keys);
      await keys.check();
    }
    await keys.settle();
    await keys.check();
    total.commits += keys.counts.commits;
    total.stale += keys.counts.stale;
    total.orphans += keys.counts.orphans;
    total.late += keys.counts.late;
    total.restores += keys.counts.restores;
    total.adopted += keys.counts.adopted;
    total.joined += keys.counts.joined;
  });
  const options = { seed, numRuns: runs, endOnFailure: planted !== undefined };
  const details = await fc.check(property, options);
  const cause = details.errorInstance instanceof Error ? details.errorInstance.stack : "";
  const failure = details.failed ? `${fc.defaultReportMessage(details)}\n${cause}` : undefined;
  return { runs: details.numRuns, failure, counts: total };
}
