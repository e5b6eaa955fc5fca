import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

import { LoopVolume } from "../support/loop-volume.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
import { type CrashCampaign, runCrashCampaign, wholeNumber } from "./crash-cycle.ts";

/* HAWSER_POWER_CYCLES sets the number of cycles, HAWSER_POWER_SEED repeats a run. */
const cycles = wholeNumber("HAWSER_POWER_CYCLES", 40);
const seed = wholeNumber("HAWSER_POWER_SEED", Date.now() % 2 ** 31);
const imageBytes = 4 * 1024 ** 3;

type Planned = Pick<CrashCampaign, "name" | "cycles"> & { readonly program?: readonly string[] };

/** Runs it on a volume of its own; answers why there can be none. */
async function run(kind: "ext4" | "xfs", planned: Planned): Promise<string | undefined> {
  const volume = await LoopVolume.make(kind, imageBytes);
  if (typeof volume === "string") return volume;
  const { program, ...campaign } = planned;
  const dataDirectory = join(volume.mountPoint, "data");
  await mkdir(dataDirectory);
  const server = await ServerProcess.start({
    dataDirectory,
    ...(program === undefined ? {} : { program }),
  });
  try {
    await runCrashCampaign({
      ...campaign,
      seed,
      budgetMs: 6 * 60_000,
      server,
      crash: async (running) => {
        // Stopped first: an answer sent after the cut would look like a loss.
        running.signal("SIGSTOP");
        await volume.cutPower();
        await running.kill9();
        await volume.unmount();
      },
      recover: async (stopped) => {
        await volume.mount();
        await stopped.restart();
      },
    });
    return undefined;
  } finally {
    await server.kill9();
    await volume.remove();
  }
}

it.for(["ext4", "xfs"] as const)(
  `a power cut on %s loses no acknowledged byte (seed ${seed}, ${cycles} cycles)`,
  async (kind, context) => {
    const reason = await run(kind, { name: `power cut on ${kind}`, cycles });
    if (reason !== undefined) context.skip(reason);
  },
);

it("the same cuts do lose bytes when the server's sync is taken out", async (context) => {
  const forgetful = fileURLToPath(new URL("forgetful-sync.ts", import.meta.url));
  const program = ["--import", forgetful, ...sourceProgram];
  const running = run("ext4", { name: "power cut without sync", cycles, program });
  const outcome = await running.catch((error: unknown) => error);
  if (typeof outcome === "string") context.skip(outcome);
  expect(outcome, "nothing was noticed").toBeInstanceOf(Error);
  const cause = outcome instanceof Error ? String(outcome.cause) : "";
  expect(cause).toMatch(
    /acknowledged byte is gone|are not the ones sent|cannot be read|upload is damaged/,
  );
});
