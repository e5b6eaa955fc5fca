import { expect, it } from "vitest";

import { wholeNumber } from "../program/crash-cycle.ts";
import { ServerProcess } from "../support/server-process.ts";
import { recordTrials } from "../support/trials.ts";
import { runHostileInput } from "./hostile-run.ts";

/*
 * HAWSER_FUZZ_REQUESTS sets the number of requests, HAWSER_FUZZ_SEED repeats a run, and
 * HAWSER_FUZZ_FROM beside it begins at the trial that failed.
 */
const requests = wholeNumber("HAWSER_FUZZ_REQUESTS", 50_000);
const seed = wholeNumber("HAWSER_FUZZ_SEED", Date.now() % 2 ** 31);
const from = wholeNumber("HAWSER_FUZZ_FROM", 1);

const fault = "hostile input";

it(`bad input gets a clear answer and nothing is lost (seed ${seed})`, async () => {
  await using server = await ServerProcess.start({ extraArguments: ["--log-level", "warn"] });
  const report = await runHostileInput({ server, seed, from, requests });
  const { statuses, silences, growth, victims, trials } = report;
  const met = Array.from(statuses)
    .toSorted(([a], [b]) => a - b)
    .map(([status, times]) => `${times} x ${status}`);
  const closed = Array.from(silences, ([why, times]) => `${times} closed because ${why}`);
  const rest = `${trials} connections, ${victims} victims whole, memory x ${growth.toFixed(3)}`;
  expect(growth, "the last quarter's memory over the second's").toBeLessThanOrEqual(1.1);
  for (const status of [200, 206, 400, 401, 403, 404, 412]) {
    expect([...statuses.keys()], "the requests must get far enough").toContain(status);
  }
  await recordTrials({
    promise: "bad input gets a clear answer and nothing is lost",
    fault,
    n: report.requests,
    seed,
    met: [...met, ...closed, rest].join(", "),
  });
});
