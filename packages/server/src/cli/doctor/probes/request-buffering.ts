import { formatBytes } from "../../amounts.ts";
import { describeAnswer } from "../answer.ts";
import { answerOf, sampleBytes, type Deployment } from "../deployment.ts";
import { couldNotLook, finding, ok, type Outcome, type Probe } from "../probe.ts";

const KiB = 1024;
const halfBytes = 256 * KiB;
/** The whole fits into HAProxy's buffer, which is all that it holds; half is more than Caddy's. */
const smallHalfBytes = 6 * KiB;
/** Servers that keep bytes in a bucket count them only after some seconds. */
const countedMsMax = 12_000;
const refusedMsMax = 5_000;
/** What is looked at after the first of these, and where nothing arrived once more. */
const arrivalMs = [500, 3_500];

/** Whether bytes reach the server while the body is still open. */
export const requestBuffering: Probe = {
  name: "request-buffering",
  title: "bodies are passed on as they come",
  look: async (deployment) => {
    const small = await holdsSmallBodies(deployment);
    return small ?? (await countsHalfABody(deployment));
  },
};

/** Undefined where they are passed on. */
async function holdsSmallBodies(deployment: Deployment): Promise<Outcome | undefined> {
  const id = await deployment.begin(64 * KiB);
  const line = await deployment.open();
  try {
    await line.sendHead(deployment.appendHead(id, 0, 2 * smallHalfBytes));
    await line.write(sampleBytes(smallHalfBytes));
    for (const waitMs of arrivalMs) {
      if (await line.stirs(waitMs)) {
        const answer = answerOf(await line.reply(refusedMsMax), "append");
        return couldNotLook(`the append was answered ${describeAnswer(answer)}`);
      }
      if ((await offsetLetGo(deployment, id)) > 0) return undefined;
    }
    const half = `half of a body of ${formatBytes(2 * smallHalfBytes)}`;
    return finding("body-held", `${half} did not reach the server in ${sum(arrivalMs) / 1000} s`);
  } finally {
    line.close();
  }
}

/**
 * So few bytes would be counted only after many seconds. An append at another offset is refused,
 * but whoever is writing is asked to let go for it, and counts what has arrived.
 */
async function offsetLetGo(deployment: Deployment, id: string): Promise<number> {
  const { path, headers = {} } = deployment.appendHead(id, 1, 0);
  await deployment.ask({ method: "POST", path, headers });
  return await deployment.offset(id);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
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
