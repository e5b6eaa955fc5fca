import type { Answer } from "../answer.ts";
import { describeAnswer } from "../answer.ts";
import { couldNotLook, finding, ok, type Probe } from "../probe.ts";

/** Whether a file is answered as the server answers it: downloads go on by range and entity tag. */
export const unalteredAnswers: Probe = {
  name: "answers",
  title: "answers come unaltered",
  look: async (deployment) => {
    const { fileId, bytes } = await deployment.sample();
    const path = deployment.path(`${fileId}/content`);
    const encodings = { "Accept-Encoding": "gzip, zstd, br" };
    const whole = await deployment.ask({ method: "GET", path, headers: encodings });
    if (whole.status >= 300 && whole.status < 400) return couldNotLook("downloads are redirected");
    if (whole.status !== 200) return couldNotLook(`it was answered ${describeAnswer(whole)}`);
    const range = { Range: "bytes=100-199" };
    const part = await deployment.ask({ method: "GET", path, headers: range });
    const head = await deployment.ask({ method: "HEAD", path, headers: encodings });
    const tag = whole.headers.get("etag") ?? "";
    const again = await deployment.ask({
      method: "GET",
      path,
      headers: { "If-None-Match": tag, ...encodings },
    });
    const wrong = [
      ...wrongOfWhole(whole, bytes),
      ...(part.status === 206 && part.body.equals(bytes.subarray(100, 200))
        ? []
        : [`a range is answered ${part.status}`]),
      ...(head.headers.get("content-length") === String(bytes.length)
        ? []
        : ["HEAD tells no length"]),
      ...(again.status === 304 ? [] : [`If-None-Match is answered ${again.status}`]),
    ];
    if (wrong.length > 0) return finding("answer-altered", wrong.join("; "));
    return ok("whole, range, length and entity tag of a file");
  },
};

function wrongOfWhole({ headers, body }: Answer, bytes: Buffer): string[] {
  const encoding = headers.get("content-encoding");
  const tag = headers.get("etag");
  return [
    ...(encoding === undefined ? [] : [`a file is compressed (${encoding})`]),
    ...(encoding !== undefined || body.equals(bytes) ? [] : ["a file has other bytes"]),
    ...(headers.get("content-length") === String(bytes.length) ? [] : ["a file has no length"]),
    ...(tag?.startsWith('"') === true ? [] : [`its entity tag is ${tag ?? "gone"}`]),
    ...(headers.get("accept-ranges") === "bytes" ? [] : ["Accept-Ranges is gone"]),
    ...(headers.has("x-fb-trace-id") ? [] : ["x-fb-trace-id is gone"]),
  ];
}
