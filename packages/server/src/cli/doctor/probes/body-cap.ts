import { formatBytes } from "../../amounts.ts";
import { describeAnswer, isHawsers, isTaken, type Answer } from "../answer.ts";
import { answerMsMax, answerOf, sampleBytes, type Deployment } from "../deployment.ts";
import type { Reply } from "../line.ts";
import { couldNotLook, finding, ok, type Outcome, type Probe } from "../probe.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
/** More than an app takes unless it is told to. */
const declaredBytesMax = 128 * GiB;
const declaredBytesMin = 64 * KiB;
/** What is really sent, for proxies that count what comes and not what is announced. */
const sentBytes = 16 * MiB;
const pieceBytes = 64 * KiB;

/** Whether bodies of any size pass. */
export const bodyCap: Probe = {
  name: "body-cap",
  title: "bodies of any size pass",
  look: async (deployment) => (await declared(deployment)) ?? (await sent(deployment)),
};

/** Announces far too much for a small upload: the server refuses that by itself, by the head. */
async function declared(deployment: Deployment): Promise<Outcome | undefined> {
  const id = await deployment.begin(declaredBytesMin);
  const refusal = await refusalOf(deployment, id, declaredBytesMax);
  if (refusal === undefined) return undefined;
  for (let bytes = declaredBytesMin; bytes < declaredBytesMax; bytes *= 2) {
    const answer = await refusalOf(deployment, id, bytes);
    if (answer === undefined) continue;
    const passed = bytes === declaredBytesMin ? "" : `${formatBytes(bytes / 2)} passes, `;
    const told = `${passed}${formatBytes(bytes)} is answered ${describeAnswer(answer)}`;
    return finding("body-capped", told);
  }
  const told = `${formatBytes(declaredBytesMax)} is answered ${describeAnswer(refusal)}`;
  return finding("body-capped", told);
}

/** How something before the server refuses such a body; undefined when it lets it pass. */
async function refusalOf(
  deployment: Deployment,
  id: string,
  bytes: number,
): Promise<Answer | undefined> {
  const line = await deployment.open();
  try {
    await line.sendHead(deployment.appendHead(id, 0, bytes));
    // One byte, as some proxies look at a body only once it begins.
    await line.write("%");
    const reply = await line.reply(refusedMsMax);
    // A proxy that holds bodies waits for the rest, which is to let it pass.
    if (reply.kind === "silent") return undefined;
    const answer = answerOf(reply, "append");
    return isHawsers(answer) ? undefined : answer;
  } finally {
    line.close();
  }
}

const refusedMsMax = 2_000;

async function sent(deployment: Deployment): Promise<Outcome> {
  const id = await deployment.begin(sentBytes + 1);
  const bytes = sampleBytes(sentBytes);
  const line = await deployment.open();
  let reply: Reply;
  try {
    await line.sendHead(deployment.appendHead(id, 0, sentBytes));
    for (let from = 0; from < sentBytes && !line.isOver; from += pieceBytes) {
      if (!(await line.write(bytes.subarray(from, from + pieceBytes)))) break;
    }
    reply = await line.reply(answerMsMax);
  } finally {
    line.close();
  }
  if (reply.kind === "answer" && isTaken(reply.answer)) {
    const declaration = `${formatBytes(declaredBytesMax)} announced`;
    return ok(`${formatBytes(sentBytes)} sent and ${declaration} were let through`);
  }
  const offset = await deployment.offset(id);
  const told = `of ${formatBytes(sentBytes)} ${formatBytes(offset)} passed; then ${wordsOf(reply)}`;
  const isServers = reply.kind === "answer" && isHawsers(reply.answer);
  return isServers || offset === sentBytes ? couldNotLook(told) : finding("body-capped", told);
}

function wordsOf(reply: Reply): string {
  if (reply.kind === "answer") return describeAnswer(reply.answer);
  return reply.kind === "closed" ? "the connection was closed" : "no answer came";
}
