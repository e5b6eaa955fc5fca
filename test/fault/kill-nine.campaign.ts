import { it } from "vitest";

import { wholeNumber, wholeNumberGiven } from "../support/whole-number.ts";
import { expectNoticed, runCrashCampaign } from "./crash-campaign.ts";
import { DirectorySite } from "./crash-site.ts";
import { preloads } from "./preload/preloads.ts";

/*
 * HAWSER_KILL_CYCLES sets the number of cycles, HAWSER_KILL_SEED repeats a run. A number given by
 * hand is kept however long it takes.
 */
const asked = wholeNumberGiven("HAWSER_KILL_CYCLES");
const cycles = asked ?? 60;
const seed = wholeNumber("HAWSER_KILL_SEED", Date.now() % 2 ** 31);
const budget = (minutes: number) => (asked === undefined ? { budgetMs: minutes * 60_000 } : {});

const makeSite = () => DirectorySite.make();
const whole = { timeout: 0 };

it.concurrent(
  `kill -9 loses no acknowledged byte (seed ${seed}, ${cycles} cycles)`,
  whole,
  async () => {
    const fault = "kill -9 at a random moment";
    await runCrashCampaign({ fault, seed, cycles, makeSite, ...budget(5) });
  },
);

/* The kernel keeps what a killed process wrote; these servers have a cache that dies with them. */
const unsynced = {
  fault: "kill -9, unsynced bytes lost with the process",
  seed,
  cycles: Math.ceil(cycles / 5),
  makeSite,
};

it.concurrent(`nor with a page cache that dies with the server (seed ${seed})`, whole, async () => {
  await runCrashCampaign({ ...unsynced, preloads: [preloads.writeBackCache], ...budget(3) });
});

it.concurrent("the same kills do lose bytes when the server's sync is taken out", async () => {
  const forgetful = [preloads.writeBackCache, preloads.forgetfulSync];
  await expectNoticed({ ...unsynced, preloads: forgetful }, "no sync of uploaded bytes");
});
