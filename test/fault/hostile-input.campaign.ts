import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

import { within } from "../support/eventually.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
import { recordPlanted } from "../support/trials.ts";
import { runHostileInput } from "./hostile-run.ts";
import { recordBadInput } from "./record-bad-input.ts";

/*
 * HAWSER_FUZZ_REQUESTS sets the number of requests, HAWSER_FUZZ_SEED repeats a run, and
 * HAWSER_FUZZ_FROM beside it begins at the trial that failed.
 */
const requests = wholeNumber("HAWSER_FUZZ_REQUESTS", 50_000);
const seed = wholeNumber("HAWSER_FUZZ_SEED", Date.now() % 2 ** 31);
const from = wholeNumber("HAWSER_FUZZ_FROM", 1);

const fault = "hostile input";
/** Interim answers too, to whoever names a version that has them. */
const extraArguments = ["--log-level", "warn", "--interim-answers"];
/** With the small young generation that the command gives itself, and without old garbage. */
const program = ["--max-semi-space-size=1", "--import", preload("collecting.ts"), ...sourceProgram];

function preload(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

const named = `bad input gets a clear answer and nothing is lost (seed ${seed}, ${requests} requests)`;

it(named, { timeout: 0 }, async () => {
  await using server = await ServerProcess.start({
    program,
    extraArguments,
  });
  const report = await runHostileInput({ server, seed, from, requests });
  const { statuses, silences, growth, victims, trials } = report;
  const met = Array.from(statuses)
    .toSorted(([a], [b]) => a - b)
    .map(([status, times]) => `${times} x ${status}`);
  const closed = Array.from(silences, ([why, times]) => `${times} closed because ${why}`);
  const rest = `${trials} connections, ${victims} victims whole, memory x ${growth.toFixed(3)}`;
  for (const status of [200, 201, 204, 206, 400, 401, 403, 404, 409, 410, 412, 413, 415, 460]) {
    expect([...statuses.keys()], "the requests must get far enough").toContain(status);
  }
  await recordBadInput({
    fault,
    n: report.requests,
    seed,
    met: [...met, ...closed, rest].join(", "),
  });
});

/** What the harness must notice, and the words by which it does. */
const planted: readonly (readonly [name: string, file: string, noticed: RegExp])[] = [
  ["answers that tell where they were made", "telling-answer.ts", /an answer tells internals/],
  [
    "a target that ends the process",
    "ending-at-nul.ts",
    // What was on its way to any of the clients just then; or nothing was.
    /closed without an answer|not whole|what follows the answers is none|the server is gone/,
  ],
  ["a little of each request kept for ever", "keeping-requests.ts", /memory grew x [\d.]+/],
];

it.for(planted)("%s: noticed", async ([name, file, noticed]) => {
  await using server = await ServerProcess.start({
    program: ["--import", preload(`planted/${file}`), ...program],
    extraArguments,
  });
  const outcome: unknown = await runHostileInput({ server, seed, from: 1, requests: 20_000 }).catch(
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error("nothing was noticed");
  const cause = outcome.cause instanceof Error ? outcome.cause.message : "";
  const said = `${outcome.message}\n${cause}`;
  expect(said).toMatch(noticed);
  if (file === "ending-at-nul.ts") {
    const end = await within(server.ended, { what: "the planted end", timeoutMs: 10_000 });
    expect(end.code).toBe(3);
  }
  await recordPlanted({
    harness: fault,
    planted: name,
    noticedAfter: Number(/^(?:trial|after) (\d+)/.exec(outcome.message)?.[1]),
    as: noticed.exec(said)?.[0] ?? "",
  });
});
