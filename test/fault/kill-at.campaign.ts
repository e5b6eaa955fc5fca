import { it } from "vitest";

import { SeededRandom } from "../support/seeded.ts";
import { wholeNumber, wholeNumberGiven } from "../support/whole-number.ts";
import { type CrashPlan, runCrashCampaign } from "./crash-campaign.ts";
import { DirectorySite } from "./crash-site.ts";
import { preloads } from "./preload/preloads.ts";

/*
 * The server kills itself right before or right after its n-th sync of uploaded bytes, or its n-th
 * commit, counted from its start. HAWSER_KILL_AT_POINTS says how many of the first 200 are tried
 * (both sides of all of them: 400), HAWSER_KILL_AT_SEED repeats a run.
 */
const asked = wholeNumberGiven("HAWSER_KILL_AT_POINTS");
const pointCount = asked ?? 100;
const seed = wholeNumber("HAWSER_KILL_AT_SEED", Date.now() % 2 ** 31);
const budget = asked === undefined ? { budgetMs: 6 * 60_000 } : {};
const callsMax = 200;
/** A server on a fresh directory commits about so often before it listens. */
const startingCalls = 8;

type Call = "sync" | "commit";
type Side = "before" | "after";

interface KillPoint {
  readonly number: number;
  readonly side: Side;
}

/** Spread evenly over both sides of all calls, beginning at a place of the seed's. */
function killPoints(count: number, random: SeededRandom): readonly KillPoint[] {
  const all = Array.from({ length: callsMax * 2 }, (_, place): KillPoint => {
    return { number: Math.floor(place / 2) + 1, side: place % 2 === 0 ? "before" : "after" };
  });
  const stride = Math.max(1, all.length / count);
  const first = random.integer(0, Math.floor(stride) - 1);
  const chosen = Array.from({ length: count }, (_, index) => {
    // An even stride would always land on the same side.
    const place = Math.floor(first + index * stride) ^ (random.word() & 1);
    return all[place % all.length];
  });
  return chosen.filter((point) => point !== undefined);
}

function planOf(call: Call, { number, side }: KillPoint, cycle: number): CrashPlan {
  // In every other cycle unsynced bytes die with the process, else they outlive it, unacknowledged.
  const cache = cycle % 2 === 0 ? [preloads.writeBackCache] : [];
  return {
    killsItself: true,
    preloads: [...cache, preloads.killAt],
    environment: { KILL_AT: call, KILL_AT_NUMBER: String(number), KILL_AT_SIDE: side },
    onFreshSite: number <= startingCalls,
  };
}

const calls: readonly Call[] = ["sync", "commit"];

it.concurrent.for(calls)(
  `kill -9 at any of the first ${callsMax} %ss loses no acknowledged byte (seed ${seed})`,
  { timeout: 0 },
  async (call) => {
    const points = killPoints(pointCount, new SeededRandom(seed));
    await runCrashCampaign({
      fault: `kill -9 right before or after the n-th ${call}, n from 1 to ${callsMax}`,
      seed,
      cycles: points.length,
      makeSite: () => DirectorySite.make(),
      plan: (cycle) => planOf(call, points[cycle] ?? { number: 1, side: "before" }, cycle),
      ...budget,
    });
  },
);
