import { describeAnswer, isTaken } from "../answer.ts";
import { answerMsMax, answerOf } from "../deployment.ts";
import { couldNotLook, ok, type Probe } from "../probe.ts";

const interimMsMax = 3_000;

/** Whether interim answers (1xx) come: for information, as clients do not depend on them. */
export const interimAnswers: Probe = {
  name: "interim-answers",
  title: "interim answers (for information)",
  look: async (deployment) => {
    const id = await deployment.begin(16);
    const line = await deployment.open();
    try {
      const head = deployment.appendHead(id, 0, 1);
      await line.sendHead({ ...head, headers: { ...head.headers, Expect: "100-continue" } });
      const interim = await line.interim(interimMsMax);
      await line.write("%");
      const answer = answerOf(await line.reply(answerMsMax), "append");
      if (!isTaken(answer)) return couldNotLook(`it was answered ${describeAnswer(answer)}`);
      return ok(
        interim === undefined
          ? `none came in ${interimMsMax / 1000} s to Expect: 100-continue; the append was taken`
          : `${interim} came to Expect: 100-continue`,
      );
    } finally {
      line.close();
    }
  },
};
