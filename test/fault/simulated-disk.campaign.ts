import { expect, test } from "vitest";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { trySchedules } from "./simulation/campaign.ts";
import { breakdown, plantedFaults } from "./simulation/planted-faults.ts";

/*
 * HAWSER_SIMULATION_SCHEDULES sets how many schedules are tried, HAWSER_SIMULATION_SEED repeats a
 * run, and HAWSER_SIMULATION_PATH shows one failure of that seed alone.
 */
const schedules = Number(process.env.HAWSER_SIMULATION_SCHEDULES ?? 100_000);
const seed = Number(process.env.HAWSER_SIMULATION_SEED ?? Date.now() % 2 ** 31);
const path = process.env.HAWSER_SIMULATION_PATH;
const harness = "simulated disk: power cuts, kills and failing operations at any step";

test(`an acknowledged byte survives on a disk that forgets (seed ${seed})`, async () => {
  const result = await trySchedules({ seed, schedules, path, shrinks: true });
  expect(result.failure?.report).toBeUndefined();
  if (path !== undefined) return;
  const { crashes, interrupted, faults, takeovers, commits, completions, lengths, mismatches } =
    result.counts;
  expect(result.schedules).toBe(schedules);
  await recordTrials({
    promise: "an acknowledged byte survives",
    fault: harness,
    n: result.schedules,
    seed,
    met:
      `${crashes} crashes and stops, ${interrupted} under requests, ${faults} failed operations, ` +
      `${takeovers} takeovers, ${commits} commits, ${completions} completions, ` +
      `${lengths} lengths said later, ${mismatches} digests that did not match`,
  });
});

test.for(plantedFaults)("planted: $name is noticed", async ({ name, planted, fenceAlone }) => {
  const options = { seed, schedules: 20_000, planted, fenceAlone, shrinks: false };
  const { schedules, failure } = await trySchedules(options);
  if (failure === undefined) expect.unreachable(`nothing was noticed in ${schedules} schedules`);
  expect(failure.problem).not.toMatch(breakdown);
  expect(failure.unplanted, "it is not the fault that was noticed").toBeUndefined();
  const as = failure.problem;
  await recordPlanted({ harness, planted: name, noticedAfter: schedules, as });
});
