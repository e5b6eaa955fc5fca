import { describeAnswer } from "../answer.ts";
import { sampleBytes, type Deployment } from "../deployment.ts";
import type { Line, Reply } from "../line.ts";
import { couldNotLook, finding, ok, type Outcome, type Probe } from "../probe.ts";

const versionField = "upload-draft-interop-version";
/** Enough that the server counts it, and tells so, while the body is still open. */
const sentBytes = 256 * 1024;
/** Servers that keep bytes in a bucket count them only after some seconds. */
const countedMsMax = 12_000;
const interimMsMax = 1_000;
const lastMsMax = 3_000;

/** What becomes of a 104: there are proxies that give no last answer after one. */
export const interimAnswers: Probe = {
  name: "interim-answers",
  title: "interim answers (104) do no harm",
  look: async (deployment) => {
    const options = await deployment.standardOptions();
    if (options === undefined) return couldNotLook("OPTIONS at /uploads does not reach the server");
    const version = options.headers.get(versionField);
    if (version === undefined) return ok("the server sends none (it has no --interim-answers)");
    return await fateOf104(deployment, version);
  },
};

/** An append in the IETF's words, of which the server tells how far it is as soon as it counts. */
async function fateOf104(deployment: Deployment, version: string): Promise<Outcome> {
  const id = await deployment.begin(2 * sentBytes);
  const path = await deployment.standardPathOf(id);
  const line = await deployment.open();
  try {
    await line.sendHead({
      method: "PATCH",
      path,
      headers: {
        ...deployment.authorization,
        "Content-Type": "application/partial-upload",
        "Content-Length": String(sentBytes + 1),
        "Upload-Offset": "0",
        "Upload-Complete": "?0",
        [versionField]: version,
      },
    });
    await line.write(sampleBytes(sentBytes));
    const counted = await deployment.offsetAbove(id, 0, countedMsMax);
    const came = (await line.interim(interimMsMax)) === 104;
    await line.write("%");
    const reply = await lastReply(deployment, line, id);
    return outcomeOf(reply, { sent: counted > 0, came });
  } finally {
    line.close();
  }
}

async function lastReply(deployment: Deployment, line: Line, id: string): Promise<Reply> {
  const reply = await line.reply(lastMsMax);
  if (reply.kind !== "silent") return reply;
  await deployment.offsetAbove(id, sentBytes, countedMsMax);
  return await line.reply(lastMsMax);
}

function outcomeOf(reply: Reply, interim: { sent: boolean; came: boolean }): Outcome {
  if (reply.kind === "answer") {
    const { status, headers } = reply.answer;
    if (status === 204 && headers.has("upload-offset")) {
      if (interim.came) return ok("a 104 comes through, and the last answer after it");
      if (interim.sent)
        return finding("interim-answer-lost", "the server sends a 104, and none came");
    }
    const isServers = headers.has("upload-offset");
    if (isServers || !interim.sent) {
      return couldNotLook(`an append was answered ${describeAnswer(reply.answer)}`);
    }
    const told = `a 104 was sent, and the append was answered ${describeAnswer(reply.answer)}`;
    return finding("interim-answer-breaks", told);
  }
  if (!interim.sent) return couldNotLook("no byte of an open body counted");
  const instead = reply.kind === "closed" ? "the connection was closed" : "no answer came any more";
  return finding("interim-answer-breaks", `after a 104 that was sent ${instead}`);
}
