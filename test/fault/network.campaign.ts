import { beforeAll, expect, it } from "vitest";

import { wholeNumber } from "../support/whole-number.ts";
import { SeededRandom } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { recordTrials } from "../support/trials.ts";
import { everyBoundary, randomCase } from "./network-cases.ts";
import { runNetworkCases } from "./network-trial.ts";

/* HAWSER_NETWORK_CASES sets the number of random cases, HAWSER_NETWORK_SEED repeats a run. */
const randomCount = wholeNumber("HAWSER_NETWORK_CASES", 200);
const seed = wholeNumber("HAWSER_NETWORK_SEED", Date.now() % 2 ** 31);
const atOnce = 3;
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
  const fault = "a network that fails at every boundary, in every way";
  await recordTrials({ promise, fault, n: cases.length, seed });
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
