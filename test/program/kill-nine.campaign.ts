import { beforeAll, it } from "vitest";

import { ServerProcess } from "../support/server-process.ts";
import { runCrashCampaign, wholeNumber } from "./crash-cycle.ts";

/* HAWSER_KILL_CYCLES sets the number of cycles, HAWSER_KILL_SEED repeats a run. */
const cycles = wholeNumber("HAWSER_KILL_CYCLES", 200);
const seed = wholeNumber("HAWSER_KILL_SEED", Date.now() % 2 ** 31);

let server: ServerProcess;

beforeAll(async () => {
  const started = await ServerProcess.start();
  server = started;
  return () => started.remove();
});

it(`kill -9 loses no acknowledged byte (seed ${seed}, up to ${cycles} cycles)`, async () => {
  await runCrashCampaign({
    name: "kill -9",
    seed,
    cycles,
    budgetMs: 12 * 60_000,
    server,
    crash: (running) => running.kill9(),
    recover: (stopped) => stopped.restart(),
  });
});
