import { describeAnswer, isHawsers } from "../answer.ts";
import { answerMsMax, sampleBytes } from "../deployment.ts";
import { couldNotLook, finding, ok, type Probe } from "../probe.ts";

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
      await line.stirs(patienceMs);
      if (!line.isOver) await line.write(sampleBytes(pieceBytes));
      const reply = await line.reply(answerMsMax);
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      const silent = `${patienceMs / 1000} s of silence`;
      if (reply.kind !== "answer") {
        return finding(
          "silence-cut",
          `after ${seconds} s of ${silent}: ${reply.kind === "closed" ? "the connection was closed" : "no answer"}`,
        );
      }
      const { answer } = reply;
      if (answer.status === 200) return ok(`${silent} were waited for`);
      const told = `after ${seconds} s of a body with ${silent}: ${describeAnswer(answer)}`;
      // Hawser's own 408 and 400 tell that it was cut off behind the proxy's back.
      if (isHawsers(answer) && ![400, 408].includes(answer.status)) return couldNotLook(told);
      return finding(answer.status === 504 ? "answer-late" : "silence-cut", told);
    } finally {
      line.close();
    }
  },
};
