import { describe, expect, it, type TestContext } from "vitest";

import type { RawResponse } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { algorithms, checksumOf } from "./checksums.ts";
import { chunked, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const length = 40_000;
const whole = patternBytes({ seed: 301, length });

function created(): Promise<URL> {
  return target().api.create({ "Upload-Length": `${length}` });
}

/** All bytes in two chunks, after which the trailer comes, if any. */
async function send(
  context: TestContext,
  url: URL,
  trailer: string | undefined,
): Promise<RawResponse> {
  const announced = ["Trailer", "Upload-Checksum"] as const;
  const upload = { url, offset: 0 };
  using connection = await target().beginPatch(context, upload, [announced, ...chunked]);
  await connection.sendChunk(whole.subarray(0, 15_000));
  await connection.sendChunk(whole.subarray(15_000));
  const line = trailer === undefined ? "" : `Upload-Checksum: ${trailer}\r\n`;
  await connection.write(`0\r\n${line}\r\n`);
  return await connection.answer();
}

describe("a checksum in the trailer", () => {
  it.for(algorithms)("that is right in %s lets its bytes count", async (algorithm, context) => {
    const url = await created();
    const answer = await send(context, url, checksumOf(algorithm, whole));
    expect(answer.status, answer.body.toString()).toBe(204);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it.for(algorithms)(
    "that is wrong in %s is refused with 460, and its bytes are discarded",
    async (algorithm, context) => {
      const url = await created();
      const answer = await send(context, url, checksumOf(algorithm, Buffer.from("others")));
      expect(answer.status, answer.body.toString()).toBe(460);
      expect(await target().api.offsetOf(url)).toBe(0);
      const again = await send(context, url, checksumOf(algorithm, whole));
      expect(again.status, again.body.toString()).toBe(204);
    },
  );

  it("of an algorithm that is not served is refused with 400 and changes nothing", async (context) => {
    const url = await created();
    const answer = await send(context, url, "sha512 YQ==");
    expect(answer.status, answer.body.toString()).toBe(400);
    expect(await target().api.offsetOf(url)).toBe(0);
  });

  it("that was announced and does not come is refused with 400 and changes nothing", async (context) => {
    const url = await created();
    const answer = await send(context, url, undefined);
    expect(answer.status, answer.body.toString()).toBe(400);
    expect(await target().api.offsetOf(url)).toBe(0);
  });
});
