import { describeAnswer, isHawsers, isTaken } from "../answer.ts";
import { couldNotLook, finding, ok, type Probe } from "../probe.ts";

/** Whether a header with an underscore in its name arrives: Graph's appends need `file_offset`. */
export const requestHeader: Probe = {
  name: "request-header",
  title: "the header file_offset arrives",
  look: async (deployment) => {
    const id = await deployment.begin(16);
    const answer = await deployment.ask({
      method: "POST",
      path: deployment.path(id),
      headers: { file_offset: "0" },
      body: "%",
    });
    if (isTaken(answer)) return ok("an append with it was taken");
    const isMissing = answer.body.toString().includes("file_offset is missing");
    if (isHawsers(answer) && isMissing) {
      return finding("header-dropped", "it was sent, and the server did not get it");
    }
    return couldNotLook(`the append was answered ${describeAnswer(answer)}`);
  },
};
