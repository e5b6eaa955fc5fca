import { setTimeout as sleep } from "node:timers/promises";
import { crc32, formatCrc32 } from "../../../base/crc32.ts";
import { formatBytes } from "../../amounts.ts";
import { describeAnswer, jsonOf, type Answer } from "../answer.ts";
import { sampleBytes, type Deployment } from "../deployment.ts";
import { finding, ok, type Probe } from "../probe.ts";

const lengthBytes = 512 * 1024;
const triesMax = 5;
const betweenTriesMs = 500;

/** Whether an upload that was cut goes on, and its file has the bytes that were sent. */
export const cutUpload: Probe = {
  name: "cut-upload",
  title: "an upload that was cut goes on",
  look: async (deployment) => {
    const bytes = sampleBytes(lengthBytes);
    const id = await deployment.begin(bytes.length);
    await sendAndCut(deployment, id, bytes);
    const end = await goOn(deployment, id, bytes);
    if (end.kind === "refused") return finding("upload-does-not-go-on", end.told);
    const fileId = await deployment.publish(id, end.handle);
    const fault = await faultOfFile(deployment, fileId, bytes);
    if (fault !== undefined) return finding("upload-does-not-go-on", fault);
    return ok(`from ${formatBytes(end.from)} of ${formatBytes(bytes.length)}, byte for byte`);
  },
};

async function sendAndCut(deployment: Deployment, id: string, bytes: Buffer): Promise<void> {
  const line = await deployment.open();
  try {
    await line.sendHead(deployment.appendHead(id, 0, bytes.length));
    await line.write(bytes.subarray(0, bytes.length / 2));
    // Long enough for the bytes to be under way; how many arrive is not what is asked here.
    await line.stirs(betweenTriesMs);
  } finally {
    line.close();
  }
}

type End =
  | { readonly kind: "complete"; readonly handle: string; readonly from: number }
  | { readonly kind: "refused"; readonly told: string };

/** What came of the cut append may move the offset once more while we ask for it. */
async function goOn(deployment: Deployment, id: string, bytes: Buffer): Promise<End> {
  let told = "";
  for (let tries = 0; tries < triesMax; tries += 1) {
    await sleep(betweenTriesMs, undefined, { signal: deployment.options.signal });
    const asked = await deployment.ask({ method: "GET", path: deployment.path(id) });
    const { file_offset: from } = jsonOf(asked);
    if (typeof from !== "number") {
      told = `how far it is was answered ${describeAnswer(asked)}`;
      if (mayPass(asked)) continue;
      break;
    }
    const body = bytes.subarray(from);
    const { path, headers = {} } = deployment.appendHead(id, from, body.length);
    const answer = await deployment.ask({ method: "POST", path, headers, body });
    const { h: handle } = jsonOf(answer);
    if (typeof handle === "string") return { kind: "complete", handle, from };
    told = `going on from ${formatBytes(from)} was answered ${describeAnswer(answer)}`;
    if (!mayPass(answer)) break;
  }
  return { kind: "refused", told };
}

function mayPass({ status }: Answer): boolean {
  return status === 412 || status === 503;
}

async function faultOfFile(
  deployment: Deployment,
  fileId: string,
  bytes: Buffer,
): Promise<string | undefined> {
  const path = deployment.path(`${fileId}/content`);
  const content = await deployment.ask({ method: "GET", path });
  if (content.status === 200) {
    return content.body.equals(bytes) ? undefined : "the file has other bytes than were sent";
  }
  // Downloads may be redirected to the bucket; the server's own checksum says as much.
  const facts = jsonOf(await deployment.ask({ method: "GET", path: deployment.path(fileId) }));
  return facts.crc32 === formatCrc32(crc32(bytes))
    ? undefined
    : `the file's CRC-32 is ${String(facts.crc32)}`;
}
