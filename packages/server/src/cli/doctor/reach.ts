import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { tame } from "../output.ts";
import { describeAnswer, isHawsers, type Answer } from "./answer.ts";
import type { Deployment } from "./deployment.ts";
import { UntrustedError } from "./line.ts";

const scopesHint = "It needs a token with the scopes create, append, read, publish and delete.";

/**
 * Whether Hawser answers there at all, and the token may do what the probes do. An ordinary answer
 * of the server; a `CommandError` when nothing can be looked at.
 */
export async function reach(deployment: Deployment): Promise<Answer> {
  // What is no handle is refused by the server after the token and the app were looked at.
  const answer = await deployment.askPublish("doctor").catch((error: unknown) => {
    if (error instanceof UntrustedError) throw error;
    const message = `${deployment.url} gave no answer: ${messageOf(error)}`;
    const hint = "Check the address, and that proxy and server run.";
    throw new CommandError(exitCodes.failed, message, hint);
  });
  refuseUnfit(deployment, answer);
  const removal = await deployment.ask({ method: "DELETE", path: deployment.path("0") });
  if (isHawsers(removal) && removal.status === 403) throw unfit(removal);
  // Without DELETE nothing could be taken away again, so nothing is put there.
  deployment.mayRemove = isHawsers(removal);
  return answer;
}

function refuseUnfit(deployment: Deployment, answer: Answer): void {
  if (!isHawsers(answer)) {
    throw new CommandError(
      exitCodes.failed,
      `no Hawser answers at ${deployment.url}: ${tame(describeAnswer(answer))}`,
      "Give the address under which the proxy passes requests on to Hawser.",
    );
  }
  if (answer.status === 401 || answer.status === 403) throw unfit(answer);
  if (answer.status === 404) {
    throw new CommandError(exitCodes.notFound, tame(describeAnswer(answer)), "Correct --app.");
  }
}

function unfit(answer: Answer): CommandError {
  return new CommandError(exitCodes.notAuthorised, tame(describeAnswer(answer)), scopesHint);
}

function messageOf(error: unknown): string {
  return tame(error instanceof Error ? error.message : String(error));
}
