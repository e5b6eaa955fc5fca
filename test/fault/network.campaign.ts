import { beforeAll, expect, it } from "vitest";

import { asError } from "../../packages/server/src/base/errors.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { SeededRandom } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { everyBoundary, randomCase } from "./network-cases.ts";
import { runNetworkCases } from "./network-trial.ts";
import { spoiltProgram } from "./planted/spoilt-program.ts";

/* HAWSER_NETWORK_CASES sets the number of random cases, HAWSER_NETWORK_SEED repeats a run. */
const randomCount = wholeNumber("HAWSER_NETWORK_CASES", 200);
const seed = wholeNumber("HAWSER_NETWORK_SEED", Date.now() % 2 ** 31);
const atOnce = 3;
const atBoundaries = "a network that fails at every boundary, in every way";
const promise = "what was told is kept, no cut request gets a 2xx, and the upload ends byte-equal";

let server: ServerProcess;

beforeAll(async () => {
  const started = await ServerProcess.start();
  server = started;
  return () => started.remove();
});

it(`a line that fails at every boundary loses nothing (seed ${seed})`, async () => {
  const { pid } = server;
  const cases = everyBoundary();
  await runNetworkCases(server, cases, { seed, atOnce });
  expect(server.pid).toBe(pid);
  await recordTrials({ promise, fault: atBoundaries, n: cases.length, seed });
});

it(`a line that fails at random places loses nothing (seed ${seed})`, async () => {
  const { pid } = server;
  const cases = Array.from({ length: randomCount }, (_, index) =>
    randomCase(new SeededRandom(seed + index)),
  );
  await runNetworkCases(server, cases, { seed, atOnce });
  expect(server.pid).toBe(pid);
  const fault = "a network that fails at random places, one to three times";
  await recordTrials({ promise, fault, n: cases.length, seed });
});

it("a body that was cut and counts as one that ended is noticed", async () => {
  const program = spoiltProgram("cut-taken-for-end");
  await using spoilt = await ServerProcess.start({ program });
  const running = runNetworkCases(spoilt, everyBoundary(), { seed, atOnce });
  const broken = await running.then(() => undefined, asError);
  if (broken === undefined) expect.unreachable("nothing was noticed");
  const { message, cause } = broken;
  const as = asError(cause).message.split("\n")[0] ?? "";
  expect(as).toMatch(/2xx for a cut request|200 with another offset/);
  const noticedAfter = 1 + Number(/\(case (\d+) of/.exec(message)?.[1]);
  await recordPlanted({ harness: atBoundaries, planted: "a cut body counts", noticedAfter, as });
});
