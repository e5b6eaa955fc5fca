import { it } from "vitest";

import { SeededRandom } from "../support/seeded.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { type CrashCampaign, expectNoticed, runCrashCampaign } from "./crash-campaign.ts";
import { DirectorySite } from "./crash-site.ts";
import { preloads } from "./preload/preloads.ts";

/*
 * The server kills itself right before or right after its n-th sync of uploaded bytes, or its n-th
 * commit, counted from its start: each of the first 200, on a side that chance picks.
 * HAWSER_KILL_AT_POINTS says how many of them are tried instead (both sides of each: 400),
 * HAWSER_KILL_AT_SEED repeats a run.
 */
const callsMax = 200;
const pointCount = wholeNumber("HAWSER_KILL_AT_POINTS", callsMax);
const seed = wholeNumber("HAWSER_KILL_AT_SEED", Date.now() % 2 ** 31);
/** A server on a fresh directory commits about so often before it listens. */
const startingCalls = 8;

const sides = ["before", "after"] as const;
const numbers = Array.from({ length: callsMax }, (_, index) => index + 1);

interface KillPoint {
  readonly number: number;
  readonly side: (typeof sides)[number];
}

/** Both sides of all calls, or an even sample of them, in an order of the seed's. */
function killPoints(count: number, random: SeededRandom): readonly KillPoint[] {
  const isAll = count >= callsMax * sides.length;
  const points = isAll
    ? numbers.flatMap((number) => sides.map((side): KillPoint => ({ number, side })))
    : Array.from({ length: count }, (_, index): KillPoint => {
        // One out of each of `count` equal stretches of the calls.
        const number = 1 + Math.floor(((index + random.fraction()) * callsMax) / count);
        return { number, side: random.pick(sides) };
      });
  // So that a campaign that runs out of time has not left out the late calls alone.
  return points
    .map((point) => ({ point, rank: random.word() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ point }) => point);
}

type Call = "sync" | "commit";

/** `faults` are loaded first: what is counted is the call as the server makes it. */
function campaignOf(call: Call, faults: readonly string[] = []): CrashCampaign {
  const points = killPoints(pointCount, new SeededRandom(seed));
  return {
    fault: `kill -9 right before or after the n-th ${call}, n from 1 to ${callsMax}`,
    seed,
    cycles: points.length,
    makeSite: () => DirectorySite.make(),
    plan: (cycle) => {
      const { number, side } = points[cycle] ?? { number: 1, side: "before" };
      // In every other cycle unsynced bytes die with the process, else they outlive it.
      const cache = cycle % 2 === 0 ? [preloads.writeBackCache] : [];
      return {
        killsItself: true,
        preloads: [...cache, ...faults, preloads.killAt],
        environment: { KILL_AT: call, KILL_AT_NUMBER: String(number), KILL_AT_SIDE: side },
        onFreshSite: number <= startingCalls,
      };
    },
  };
}

const calls: readonly Call[] = ["sync", "commit"];

it.concurrent.for(calls)(
  `kill -9 at any of the first ${callsMax} %ss loses no acknowledged byte (seed ${seed})`,
  { timeout: 0 },
  (call) => runCrashCampaign(campaignOf(call)),
);

it.concurrent.for(calls)("kills at a %s do lose bytes when the sync is taken out", (call) =>
  expectNoticed(campaignOf(call, [preloads.forgetfulSync]), "no sync of uploaded bytes"),
);
