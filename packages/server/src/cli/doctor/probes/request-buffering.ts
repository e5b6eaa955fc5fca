import { formatBytes } from "../../amounts.ts";
import { describeAnswer, isHawsers } from "../answer.ts";
import { answerOf, sampleBytes, type Deployment } from "../deployment.ts";
import { couldNotLook, finding, ok, type Outcome, type Probe } from "../probe.ts";

const KiB = 1024;
const halfBytes = 256 * KiB;
/** Less than any proxy's buffer: some hold only what fits there. */
const smallHalfBytes = 2 * KiB;
/** Servers that keep bytes in a bucket count them only after some seconds. */
const countedMsMax = 12_000;
const refusedMsMax = 5_000;

/** Whether bytes reach the server while the body is still open. */
export const requestBuffering: Probe = {
  name: "request-buffering",
  title: "bodies are passed on as they come",
  look: async (deployment) => {
    const small = await holdsSmallBodies(deployment);
    return small ?? (await countsHalfABody(deployment));
  },
};

/** A stale offset is refused by the head alone, so the answer comes unless the head is held. */
async function holdsSmallBodies(deployment: Deployment): Promise<Outcome | undefined> {
  const id = await deployment.begin(64 * KiB);
  const line = await deployment.open();
  try {
    await line.sendHead(deployment.appendHead(id, 1, 2 * smallHalfBytes));
    await line.write(sampleBytes(smallHalfBytes));
    const isRefused = await line.stirs(refusedMsMax);
    if (!isRefused) {
      const held = `half of a body of ${formatBytes(2 * smallHalfBytes)} did not reach the server`;
      return finding("body-held", `${held} in ${refusedMsMax / 1000} s`);
    }
    const answer = answerOf(await line.reply(refusedMsMax), "append");
    if (isHawsers(answer)) return undefined;
    return couldNotLook(`the append was answered ${describeAnswer(answer)}`);
  } finally {
    line.close();
  }
}

async function countsHalfABody(deployment: Deployment): Promise<Outcome> {
  const id = await deployment.begin(2 * halfBytes);
  const line = await deployment.open();
  const startedMs = performance.now();
  try {
    await line.sendHead(deployment.appendHead(id, 0, 2 * halfBytes));
    await line.write(sampleBytes(halfBytes));
    const offset = await deployment.offsetAbove(id, 0, countedMsMax);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const half = `of the first half (${formatBytes(halfBytes)}) of an open body`;
    if (offset > 0) return ok(`${formatBytes(offset)} ${half} counted after ${seconds} s`);
    if (await line.stirs(0)) {
      const answer = answerOf(await line.reply(refusedMsMax), "append");
      return couldNotLook(`the append was answered ${describeAnswer(answer)}`);
    }
    return finding("body-held", `nothing ${half} counted in ${seconds} s`);
  } finally {
    line.close();
  }
}
