import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

import { wholeNumber } from "../support/whole-number.ts";
import { SeededRandom } from "../support/seeded.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { Race } from "./race.ts";

/* HAWSER_RACES sets the number of races, HAWSER_RACE_SEED repeats a run. */
const racesWanted = wholeNumber("HAWSER_RACES", 10_000);
const seed = wholeNumber("HAWSER_RACE_SEED", Date.now() % 2 ** 31);
const atOnce = 24;
const fault = "two or three writers with different bytes at the same offset";

interface Outcome {
  readonly races: number;
  readonly uploads: number;
  readonly broken: string | undefined;
}

/** Upload after upload, several at once, until there were enough races or a promise was broken. */
async function race(server: ServerProcess): Promise<Outcome> {
  let [races, uploads] = [0, 0];
  let broken: string | undefined;
  const worker = async (): Promise<void> => {
    while (races < racesWanted && broken === undefined) {
      const number = uploads;
      uploads += 1;
      const raced = await new Race(server, new SeededRandom(seed + number))
        .run()
        // As when the server itself says that acknowledged bytes are missing.
        .catch((error: unknown) => ({ races: 1, broken: String(error) }));
      races += raced.races;
      if (raced.broken !== undefined) broken ??= `${raced.broken} (upload ${number})`;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { races, uploads, broken };
}

it(`two writers never mix their bytes (seed ${seed}, ${racesWanted} races)`, async () => {
  await using server = await ServerProcess.start();
  const { pid } = server;
  const { races, uploads, broken } = await race(server);
  expect(broken).toBeUndefined();
  expect(server.pid).toBe(pid);
  await recordTrials({
    promise: "appends chain, no byte is acknowledged twice, offsets never go down",
    fault,
    n: races,
    seed,
    met: `${uploads} uploads, ${atOnce} at once`,
  });
});

/** The promises that mixed bytes may break first, and what a server does that meets them. */
const noticed =
  /acknowledged bytes|acknowledged twice|never sent whole|went down|were sent|checksum|no chain|a replay differs|terminated|ended without an answer|(create|status|publish|content): \d{3}/;

it("without fences and without waiting they do, and that is noticed", async () => {
  const unfenced = fileURLToPath(new URL("planted/unfenced.ts", import.meta.url));
  const program = ["--import", unfenced, ...sourceProgram];
  await using server = await ServerProcess.start({ program });
  const { races, broken } = await race(server);
  if (broken === undefined) expect.unreachable(`nothing was noticed in ${races} races`);
  expect(broken).toMatch(noticed);
  const planted = "no fence and no waiting";
  await recordPlanted({ harness: fault, planted, noticedAfter: races, as: broken });
});
