import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { givenBody } from "../../../../test/support/given-body.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import type { Upload } from "../catalog/records.ts";
import type { ExpectedDigest } from "./body-digest.ts";

const bytes = patternBytes({ seed: 7, length: 100_000 });
const [front, back] = [bytes.subarray(0, 60_000), bytes.subarray(60_000)];

let uploads: EngineUploads;

beforeEach(() => {
  uploads = new EngineUploads();
});

describe("an append with a digest", () => {
  const sha1 = (of: Uint8Array): Buffer => createHash("sha1").update(of).digest();
  const digest = (of: Uint8Array): ExpectedDigest => ({
    algorithm: "sha1",
    expected: () => sha1(of),
  });

  test("counts when it matches", async () => {
    const upload = await uploads.create();
    await uploads.send(upload, 0, { body: givenBody([front]), digest: digest(front) });
    const words = { body: givenBody([back]), digest: digest(back) };
    const whole = await uploads.send(upload, front.length, words);
    expect(whole.state).toBe("complete");
    expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
  });

  test.for([
    ["that is another's", {}, digest(back)],
    ["that never comes", {}, { algorithm: "sha1", expected: (): undefined => undefined }],
    ["whose body is cut", { ending: "cut" } as const, digest(front)],
  ] as const)("%s changes nothing, and the same bytes can be sent again", async (given) => {
    const [, how, wanted] = given;
    const upload = await uploads.create();
    const failed = uploads.send(upload, 0, { body: givenBody([front], how), digest: wanted });
    await expect(failed).rejects.toMatchObject({
      code: "ending" in how ? "body_cut" : "digest_mismatch",
    });
    expect(await uploads.stored(upload)).toMatchObject({ offset: 0, state: "open" });
    const whole = await uploads.send(upload, 0, { body: givenBody([bytes]) });
    expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("leaves nothing on the disk when it does not match", async () => {
    const filesLeft = await uploads.onRealDisk();
    const upload = await uploads.create();
    const failed = uploads.send(upload, 0, { body: givenBody([front]), digest: digest(back) });
    await expect(failed).rejects.toMatchObject({ code: "digest_mismatch" });
    expect(await filesLeft()).toEqual([]);
  });

  test("CRC-32 is four bytes, the most significant first", async () => {
    const upload = await uploads.create({ length: 9 });
    const expected = () => Buffer.from("cbf43926", "hex");
    const body = givenBody([Buffer.from("123456789")]);
    const whole = await uploads.send(upload, 0, { body, digest: { algorithm: "crc32", expected } });
    expect(whole.state).toBe("complete");
  });

  test("has to match also where the upload is complete and nothing is left to append", async () => {
    const upload = await uploads.create({ length: front.length });
    await uploads.send(upload, 0, { body: givenBody([front]) });
    const nothing = new Uint8Array();
    const repeat = (wanted: ExpectedDigest): Promise<Upload> =>
      uploads.send(upload, front.length, { body: givenBody([]), digest: wanted });
    expect(await repeat(digest(nothing))).toMatchObject({ state: "complete" });
    await expect(repeat(digest(front))).rejects.toMatchObject({ code: "digest_mismatch" });
  });
});

describe("a digest of the whole", () => {
  test.for([
    ["complete", bytes],
    ["rejected", front],
  ] as const)("makes it %s", async ([state, of]) => {
    const sha256 = createHash("sha256").update(of).digest("hex");
    const upload = await uploads.create({ sha256 });
    await uploads.send(upload, 0, { body: givenBody([front]) });
    const last = uploads.send(upload, front.length, { body: givenBody([back]) });
    if (state === "complete") expect((await last).state).toBe(state);
    else await expect(last).rejects.toMatchObject({ code: "content_rejected" });
    expect((await uploads.stored(upload))?.state).toBe(state);
  });

  test.for([
    ["complete", bytes],
    ["rejected", front],
  ] as const)("that comes with the last part makes it %s", async ([state, of]) => {
    const sha256 = createHash("sha256").update(of).digest("hex");
    const upload = await uploads.create({ completes: "when_told" });
    await uploads.send(upload, 0, { body: givenBody([front]), completes: "as_created" });
    const words = { body: givenBody([back]), completes: "at_end", sha256 } as const;
    const last = uploads.send(upload, front.length, words);
    if (state === "complete") expect((await last).state).toBe(state);
    else await expect(last).rejects.toMatchObject({ code: "content_rejected" });
    expect((await uploads.stored(upload))?.state).toBe(state);
  });

  test("that comes with a part before the last is kept, and makes it rejected in the end", async () => {
    const sha256 = createHash("sha256").update(front).digest("hex");
    for (const first of [[front], []]) {
      const upload = await uploads.create({ completes: "when_told" });
      const words = { body: givenBody(first), completes: "as_created", sha256 } as const;
      const { offset } = await uploads.send(upload, 0, words);
      expect((await uploads.stored(upload))?.sha256).toBe(sha256);
      const rest = { body: givenBody([bytes.subarray(offset)]), completes: "at_end" } as const;
      const last = uploads.send(upload, offset, rest);
      await expect(last).rejects.toMatchObject({ code: "content_rejected" });
    }
  });

  test("that is another than was said before is refused at once, and changes nothing", async () => {
    const [first, other] = [bytes, front].map((of) =>
      createHash("sha256").update(of).digest("hex"),
    );
    const upload = await uploads.create({ sha256: first });
    const body = givenBody([bytes]);
    const refusal = { code: "digest_inconsistent" };
    await expect(uploads.send(upload, 0, { body, sha256: other })).rejects.toMatchObject(refusal);
    expect(await uploads.stored(upload)).toMatchObject({ state: "open", offset: 0, sha256: first });
    const again = { body: givenBody([bytes]), sha256: first };
    expect((await uploads.send(upload, 0, again)).state).toBe("complete");
  });
});
