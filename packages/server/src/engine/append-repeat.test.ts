import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { givenBody } from "../../../../test/support/given-body.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import type { Body, BodyBatch } from "../base/body.ts";
import type { Upload } from "../catalog/records.ts";

const bytes = patternBytes({ seed: 7, length: 1_000 });

let uploads: EngineUploads;
let complete: Upload;

beforeEach(async () => {
  uploads = new EngineUploads();
  const upload = await uploads.create({ length: bytes.length });
  complete = await uploads.send(upload, 0, { body: givenBody([bytes]) });
});

/** Brings nothing and does not end, unless it is stopped; `asked` resolves when it is read. */
function silentBody(): { readonly body: Body; readonly asked: Promise<void> } {
  const asked = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<BodyBatch>();
  const body: Body = {
    announcedLength: undefined,
    isOver: false,
    next: () => {
      asked.resolve(undefined);
      return ended.promise;
    },
    stop: () => {
      ended.resolve({ kind: "end", ending: "stopped" });
    },
  };
  return { body, asked: asked.promise };
}

describe("an append to an upload that is complete already", () => {
  test("lets go of it while its body is silent, and is told that another took over", async () => {
    const { body, asked } = silentBody();
    const repeat = uploads.send(complete, bytes.length, { body });
    await asked;
    const newcomer = uploads.engine.leases.take(complete.id);
    await expect(repeat).rejects.toMatchObject({ code: "superseded" });
    await (await newcomer).release();
  });

  test.for([
    ["cut", "body_cut"],
    ["silent", "body_too_slow"],
    ["slow", "body_too_slow"],
    ["stopped", "draining"],
  ] as const)("says how its body ended: %s is %s", async ([ending, code]) => {
    const body = givenBody([], { ending, chunked: true });
    await expect(uploads.send(complete, bytes.length, { body })).rejects.toMatchObject({ code });
    expect(await uploads.stored(complete)).toEqual(complete);
  });

  test("takes no more bytes", async () => {
    const body = givenBody([bytes], { chunked: true });
    const more = uploads.send(complete, bytes.length, { body });
    await expect(more).rejects.toMatchObject({ code: "length_exceeded" });
  });

  test("is refused when the whole is not what it says, which nobody has said before", async () => {
    const words = (said: Uint8Array) => ({
      body: givenBody([]),
      sha256: createHash("sha256").update(said).digest("hex"),
    });
    const wrong = uploads.send(complete, bytes.length, words(Buffer.from("another")));
    await expect(wrong).rejects.toMatchObject({ code: "digest_inconsistent" });
    const right = await uploads.send(complete, bytes.length, words(bytes));
    expect(right).toMatchObject({ state: "complete", completion: complete.completion });
  });

  test("lets go of it while it is read for what the whole is", async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<undefined>();
    const reading = Promise.withResolvers<undefined>();
    const listExtents = uploads.catalog.listExtents.bind(uploads.catalog);
    uploads.catalog.listExtents = async (blobId) => {
      reading.resolve(undefined);
      await opened;
      return await listExtents(blobId);
    };
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const repeat = uploads.send(complete, bytes.length, { body: givenBody([]), sha256 });
    await reading.promise;
    const newcomer = uploads.engine.leases.take(complete.id);
    open(undefined);
    await expect(repeat).rejects.toMatchObject({ code: "superseded" });
    await (await newcomer).release();
  });
});
