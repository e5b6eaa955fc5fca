import { describeAnswer, isHawsers, isTaken } from "../answer.ts";
import { answerMsMax, sampleBytes } from "../deployment.ts";
import type { Reply } from "../line.ts";
import { couldNotLook, finding, ok, type Outcome, type Probe } from "../probe.ts";

const pieceBytes = 1024;

/** Whether a body may fall silent for a while: senders on slow lines do. */
export const silence: Probe = {
  name: "silence",
  title: "a body that falls silent is waited for",
  look: async (deployment) => {
    // The upload stays open, so that it can be cancelled.
    const id = await deployment.begin(4 * pieceBytes);
    const { patienceMs } = deployment.options;
    const line = await deployment.open();
    const startedMs = performance.now();
    try {
      await line.sendHead(deployment.appendHead(id, 0, 2 * pieceBytes));
      await line.write(sampleBytes(pieceBytes));
      const isCut = await line.stirs(patienceMs);
      const afterSeconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      if (!isCut) await line.write(sampleBytes(pieceBytes));
      return outcomeOf(await line.reply(answerMsMax), `after ${afterSeconds} s of silence`);
    } finally {
      line.close();
    }
  },
};

function outcomeOf(reply: Reply, when: string): Outcome {
  if (reply.kind !== "answer") {
    const what = reply.kind === "closed" ? "the connection was closed" : "no answer came";
    return finding("silence-cut", `${when} ${what}`);
  }
  const { answer } = reply;
  if (isTaken(answer)) return ok(`${when} the body went on`);
  const told = `${when} it was answered ${describeAnswer(answer)}`;
  // A cut that happens between proxy and server is told by the server itself.
  const tellsOfCut = [400, 408].includes(answer.status);
  if (isHawsers(answer) && !tellsOfCut) return couldNotLook(told);
  return finding(answer.status === 504 ? "answer-late" : "silence-cut", told);
}
