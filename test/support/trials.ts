import { appendFile } from "node:fs/promises";
import { runOrigin } from "./run-origin.ts";

/** What a campaign saw: `n` trials of one promise under one fault, none of which broke it. */
export interface Trials {
  /** A sentence a user would say, as in "an acknowledged byte survives". */
  readonly promise: string;
  /** What was done to it, as in "kill -9 at a random moment". */
  readonly fault: string;
  readonly n: number;
  readonly seed: number;
  /** What was met on the way, in a few words. */
  readonly met?: string;
}

/** A fault put in on purpose, and how many trials it took until the harness noticed. */
export interface PlantedFault {
  /** The campaign that noticed it, as its `fault` is named. */
  readonly harness: string;
  /** What was planted, as in "no sync". */
  readonly planted: string;
  readonly noticedAfter: number;
  /** What it said, in a line. */
  readonly as: string;
}

/** Prints a campaign's result, and keeps it for the table of docs/promises.md when one is made. */
export async function recordTrials(trials: Trials): Promise<void> {
  const { promise, fault, n, seed, met } = trials;
  const bound = (3 / n).toPrecision(2);
  const more = met === undefined ? "" : ` (${met})`;
  console.log(
    `${fault}: ${promise} in ${n} of ${n} trials; seed ${seed}; 95 % upper bound ${bound}${more}`,
  );
  await keep({ kind: "trials", ...trials });
}

/** The same for a planted fault that was noticed. */
export async function recordPlanted(planted: PlantedFault): Promise<void> {
  const { harness, noticedAfter, as } = planted;
  console.log(`${harness}, planted "${planted.planted}": noticed in trial ${noticedAfter}: ${as}`);
  await keep({ kind: "planted", ...planted });
}

/** HAWSER_TRIALS_FILE names a file of JSON lines that results are added to, with their origin. */
async function keep(line: object): Promise<void> {
  const file = process.env.HAWSER_TRIALS_FILE;
  if (file === undefined || file === "") return;
  await appendFile(file, `${JSON.stringify({ ...line, origin: await runOrigin() })}\n`);
}
