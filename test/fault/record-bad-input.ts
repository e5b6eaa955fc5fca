import { recordTrials, type Trials } from "../support/trials.ts";

/** What every test that sends rubbish records: the promise is one, only the rubbish differs. */
export async function recordBadInput(trials: Omit<Trials, "promise">): Promise<void> {
  await recordTrials({ promise: "bad input gets a clear answer and nothing is lost", ...trials });
}
