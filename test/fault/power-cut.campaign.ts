import { it, type TestContext } from "vitest";

import { wholeNumber, wholeNumberGiven } from "../support/whole-number.ts";
import { type CrashCampaign, expectNoticed, runCrashCampaign } from "./crash-campaign.ts";
import { VolumeSite } from "./crash-site.ts";
import { preloads } from "./preload/preloads.ts";

/*
 * HAWSER_POWER_CYCLES sets the number of cycles on each file system, HAWSER_POWER_SEED repeats a
 * run. A number given by hand is kept however long it takes.
 */
const asked = wholeNumberGiven("HAWSER_POWER_CYCLES");
const cycles = asked ?? 100;
const seed = wholeNumber("HAWSER_POWER_SEED", Date.now() % 2 ** 31);
const budget = asked === undefined ? { budgetMs: 5 * 60_000 } : {};
const whole = { timeout: 0 };

type Kind = "ext4" | "xfs";
const kinds: readonly Kind[] = ["ext4", "xfs"];

/** The campaign on one file system; where no image of it can be mounted the test is skipped. */
async function campaignOn(kind: Kind, context: TestContext): Promise<CrashCampaign> {
  const first = await VolumeSite.make(kind);
  if (typeof first === "string") context.skip(first);
  else await first.remove();
  const makeSite = async (): Promise<VolumeSite> => {
    const site = await VolumeSite.make(kind);
    if (typeof site === "string") throw new Error(site);
    return site;
  };
  return { fault: `power cut on ${kind}`, seed, cycles, makeSite, ...budget };
}

it.concurrent.for(kinds)(
  `a power cut on %s loses no acknowledged byte (seed ${seed}, ${cycles} cycles)`,
  whole,
  async (kind, context) => {
    await runCrashCampaign(await campaignOn(kind, context));
  },
);

/*
 * Faults in the server that the same cuts must notice. A missing sync of the directory is none of
 * them: ext4 and xfs make the name of a new file durable together with its first fdatasync, and 40
 * cuts on each with that sync taken out lost nothing. A simulated disk has to show that one.
 */
const planted = [
  { name: "no sync of uploaded bytes", preload: preloads.forgetfulSync },
  { name: "SQLite's synchronous = normal", preload: preloads.normalSynchronous },
] as const;

const plantings = kinds.flatMap((kind) => planted.map((fault) => ({ kind, ...fault })));

it.concurrent.for(plantings)(
  "cuts on $kind notice a planted fault: $name",
  async (planting, context) => {
    const campaign = await campaignOn(planting.kind, context);
    await expectNoticed({ ...campaign, preloads: [planting.preload] }, planting.name);
  },
);
