import { describeAnswer, isHawsers } from "../answer.ts";
import { finding, ok, type Probe } from "../probe.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Whether the methods of every protocol reach the server. */
export const methodsPass: Probe = {
  name: "methods",
  title: "every method reaches the server",
  look: async (deployment) => {
    const refused: string[] = [];
    for (const method of methods) {
      // No such file: what the server says to that is its own refusal, which is all that is asked.
      const answer = await deployment.ask({ method, path: deployment.path("0/content") });
      const isOurs = isHawsers(answer) || (method === "OPTIONS" && answer.status < 300);
      if (!isOurs) refused.push(`${method}: ${describeAnswer(answer)}`);
    }
    if (refused.length > 0) return finding("method-refused", refused.join("; "));
    return ok(methods.join(", "));
  },
};
