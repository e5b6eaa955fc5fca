import fc from "fast-check";
import type { Planted } from "./composition.ts";
import { anySchedule, type Schedule } from "./schedule.ts";
import { simulate, type Outcome } from "./simulation.ts";

export interface CampaignOptions {
  readonly seed: number;
  readonly schedules: number;
  readonly planted?: Planted;
  readonly fenceAlone?: boolean;
  /** Where in the seed's tree a failure was found, to see that one alone again. */
  readonly path?: string | undefined;
  /** Looks for a smaller schedule that fails too. */
  readonly shrinks: boolean;
}

export interface CampaignResult {
  readonly schedules: number;
  readonly counts: Outcome["counts"];
  readonly failure: ScheduleFailure | undefined;
}

export interface ScheduleFailure {
  readonly problem: string;
  readonly report: string;
  /** What the same schedule says when nothing is planted; undefined when it holds. */
  readonly unplanted: string | undefined;
}

/** Tries schedules until one fails or all have held. */
export async function trySchedules(options: CampaignOptions): Promise<CampaignResult> {
  const { seed, schedules, planted, fenceAlone, path, shrinks } = options;
  const counts: Record<string, number> = {};
  const run = async (schedule: Schedule, fault = planted): Promise<Outcome> =>
    simulate(fenceAlone === undefined ? schedule : { ...schedule, fenceAlone }, fault);
  const property = fc.asyncProperty(anySchedule, async (schedule) => {
    const outcome = await run(schedule);
    if (outcome.failure !== undefined) throw new Error(outcome.failure);
    for (const [what, count] of Object.entries(outcome.counts)) {
      counts[what] = (counts[what] ?? 0) + count;
    }
  });
  const result = await fc.check(property, {
    seed,
    numRuns: schedules,
    endOnFailure: !shrinks,
    ...(path === undefined ? {} : { path }),
  });
  // Every outcome has the same counts.
  const summed = counts as unknown as Outcome["counts"];
  const [schedule] = result.counterexample ?? [];
  if (schedule === undefined)
    return { schedules: result.numRuns, counts: summed, failure: undefined };
  const { failure, trace } = await run(schedule);
  const report = [
    `${failure} in schedule ${result.numRuns}; to see it again:`,
    `  HAWSER_SIMULATION_SEED=${seed} HAWSER_SIMULATION_PATH=${result.counterexamplePath} ` +
      "npx vitest run --config vitest.campaign.config.ts test/fault/simulated-disk.campaign.ts",
    JSON.stringify(schedule),
    ...trace.slice(-60),
  ].join("\n");
  const { failure: unplanted } = await run(schedule, {});
  return {
    schedules: result.numRuns,
    counts: summed,
    failure: { problem: String(failure), report, unplanted },
  };
}
