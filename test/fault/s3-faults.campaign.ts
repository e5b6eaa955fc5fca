import { afterAll, describe, expect, test } from "vitest";
import { CephGateway } from "../support/ceph-gateway.ts";
import type { S3Fault } from "../support/s3-fault-proxy.ts";
import { SeededRandom } from "../support/seeded.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { faultsOf, partBytes, partMib, siteNames, sites, type Wrong } from "./s3-sites.ts";
import { S3Trial } from "./s3-trial.ts";

const harness = "S3 calls that fail in every way";
const seed = wholeNumber("HAWSER_S3_FAULT_SEED", 20_261);
const rounds = wholeNumber("HAWSER_S3_FAULT_ROUNDS", 1);
const gateway = await CephGateway.start();

/** A part, and then tails enough that they are merged once on the way. */
async function live(ceph: CephGateway, random: SeededRandom, wrong: Wrong): Promise<string[]> {
  const tails = Array.from({ length: 11 }, () => random.integer(17_000, 24_000));
  const ends = tails.map((_, at) => partBytes + tails.slice(0, at + 1).reduce((a, b) => a + b, 0));
  const trial = await S3Trial.start(ceph, random.bytes(ends.at(-1) ?? 0), { partMib });
  try {
    trial.expectWrong([...(sites[wrong.site].after ?? []), wrong]);
    for (const end of ends) await trial.send(end);
    await trial.checkBytes("before it is published");
    await trial.publish();
    await trial.assemble();
    await trial.checkBytes("as one object");
    await trial.sweepAll();
    await trial.checkBucket();
    await trial.checkObject();
    const unmet = trial.unmet.map(({ site, fault }) => `${fault} at ${site} was never met`);
    return [...trial.problems, ...unmet];
  } finally {
    await trial.close();
  }
}

function everyWrong(): Wrong[] {
  return siteNames.flatMap((site) =>
    faultsOf(site).flatMap((fault: S3Fault) => {
      const often = fault === "slow" ? [1] : [1, 3];
      return often.map((times) => ({ site, fault, times }));
    }),
  );
}

async function each(wrongs: readonly Wrong[], ceph: CephGateway, atOnce: number): Promise<number> {
  const waiting = wrongs.entries();
  const failed: string[] = [];
  const worker = async (): Promise<void> => {
    for (const [at, wrong] of waiting) {
      const name = `${wrong.fault} x ${wrong.times} at ${wrong.site}, seed ${seed + at}`;
      const problems = await live(ceph, new SeededRandom(seed + at), wrong).catch(
        (error: unknown) => [error instanceof Error ? (error.stack ?? "") : String(error)],
      );
      if (problems.length > 0) failed.push(`${name}: ${problems.join("; ")}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  expect(failed).toEqual([]);
  return wrongs.length;
}

if (typeof gateway === "string") {
  test(harness, (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());

  describe(harness, () => {
    const promise = "no acknowledged byte is lost, no offset falls and nothing is left over";

    test("every call, refused, reset, lost, slow, or with an error in a success", async () => {
      const wrongs = Array.from({ length: rounds }, everyWrong).flat();
      const n = await each(wrongs, gateway, 3);
      await recordTrials({ promise, fault: harness, n, seed, met: `${siteNames.length} calls` });
    });

    test("every call, never answered once", async () => {
      const wrongs = siteNames.map((site): Wrong => ({ site, fault: "stall", times: 1 }));
      const n = await each(wrongs, gateway, wrongs.length);
      await recordTrials({ promise, fault: `${harness}: no answer ever comes`, n, seed });
    });
  });
}
