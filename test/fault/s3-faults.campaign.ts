import { afterAll, describe, expect, test } from "vitest";
import { CephGateway } from "../support/ceph-gateway.ts";
import { SeededRandom } from "../support/seeded.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import {
  faultsOf,
  partBytes,
  partMib,
  type SiteName,
  siteNames,
  sites,
  type Wrong,
} from "./s3-sites.ts";
import { S3Trial } from "./s3-trial.ts";

const harness = "S3 calls that fail in every way";
const seed = wholeNumber("HAWSER_S3_FAULT_SEED", 20_261);
const rounds = wholeNumber("HAWSER_S3_FAULT_ROUNDS", 1);
const gateway = await CephGateway.start();

/** A part, and then tails enough that they are merged once on the way. */
async function live(ceph: CephGateway, random: SeededRandom, life: Life): Promise<string[]> {
  const tails = Array.from({ length: 11 }, () => random.integer(17_000, 24_000));
  const ends = tails.map((_, at) => partBytes + tails.slice(0, at + 1).reduce((a, b) => a + b, 0));
  const { phase, after = [], oneByOne = false } = sites[life.site];
  const options = { partMib, oneByOne };
  const trial = await S3Trial.start(ceph, random.bytes(ends.at(-1) ?? 0), options);
  try {
    trial.expectWrong([...after, ...life.wrongs]);
    for (const end of ends.slice(0, -1)) await trial.send(end);
    // Each meets one fault at least.
    const repairs = phase === "repair" ? life.wrongs.length : 0;
    for (let done = 0; done < repairs; done += 1) await trial.repair();
    await trial.send(trial.bytes.length);
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

/** A call, and what goes wrong with it one after the other. */
interface Life {
  readonly site: SiteName;
  readonly wrongs: readonly Wrong[];
}

function livesOf(site: SiteName): Life[] {
  const wrongs = faultsOf(site).flatMap((fault): Wrong[] => {
    const often = fault === "slow" ? [1] : [1, 3];
    return often.map((times) => ({ site, fault, times }));
  });
  if (sites[site].often === true) return [{ site, wrongs }];
  return wrongs.map((wrong) => ({ site, wrongs: [wrong] }));
}

async function each(lives: readonly Life[], ceph: CephGateway, atOnce: number): Promise<number> {
  const waiting = lives.entries();
  const failed: string[] = [];
  const worker = async (): Promise<void> => {
    for (const [at, life] of waiting) {
      const words = life.wrongs.map(({ fault, times }) => `${fault} x ${times}`);
      const name = `${words.join(", ")} at ${life.site}, seed ${seed + at}`;
      const problems = await live(ceph, new SeededRandom(seed + at), life).catch(
        (error: unknown) => [error instanceof Error ? (error.stack ?? "") : String(error)],
      );
      if (problems.length > 0) failed.push(`${name}: ${problems.join("; ")}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  expect(failed).toEqual([]);
  return lives.length;
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
      const lives = Array.from({ length: rounds }, () => siteNames.flatMap(livesOf)).flat();
      const n = await each(lives, gateway, 5);
      await recordTrials({ promise, fault: harness, n, seed, met: `${siteNames.length} calls` });
    });

    test("every call, never answered once", async () => {
      const lives = siteNames.map((site): Life => {
        return { site, wrongs: [{ site, fault: "stall", times: 1 }] };
      });
      const n = await each(lives, gateway, lives.length);
      await recordTrials({ promise, fault: `${harness}: no answer ever comes`, n, seed });
    });
  });
}
