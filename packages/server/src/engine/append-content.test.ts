import { beforeEach, describe, expect, test } from "vitest";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { givenBody } from "../../../../test/support/given-body.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Upload } from "../catalog/records.ts";

let uploads: EngineUploads;

beforeEach(() => {
  uploads = new EngineUploads();
});

const app = {
  id: "1001",
  lengthMax: 32 * 1024 * 1024,
  lifetimeMs: 86_400_000,
  contentPolicy: "reject",
  roomBytesMax: undefined,
} as const;

describe("content of which the first few bytes came before the rest", () => {
  const zeros = Buffer.alloc(30_000);
  const gif = Buffer.concat([Buffer.from("GIF89a"), zeros]);
  const png = Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), zeros]);

  async function sendIn(pieces: readonly Uint8Array[], type: string): Promise<Upload> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    let upload = await uploads.create({ app, type, length });
    for (const piece of pieces) {
      upload = await uploads.send(upload, upload.offset, { body: givenBody([piece]) });
    }
    return upload;
  }

  test.each([1, 5, limits.sniffBytes])(
    "is taken for what all of it is, after %i",
    async (first) => {
      const upload = await sendIn([gif.subarray(0, first), gif.subarray(first)], "image/gif");
      expect(upload.state).toBe("complete");
      expect((await uploads.contentOf(upload)).equals(gif)).toBe(true);
    },
  );

  test.each([1, 5, limits.sniffBytes - 1])(
    "is refused when it is another, after %i",
    async (first) => {
      const sent = sendIn([png.subarray(0, first), png.subarray(first)], "application/pdf");
      await expect(sent).rejects.toMatchObject({ code: "content_rejected" });
    },
  );
});

test("whoever may no longer send does not bring the last byte, whatever was durable before", async () => {
  const half = Buffer.alloc(limits.checkpointBytes / 2);
  const upload = await uploads.create({ app, length: 2 * half.length });
  const authorise = () => Promise.reject(uploadError("token_expired", { expiredAt: 1 }));
  const sent = uploads.send(upload, 0, { body: givenBody([half, half]), authorise });
  await expect(sent).rejects.toMatchObject({ code: "token_expired" });
  const stored = await uploads.stored(upload);
  expect(stored?.state).toBe("open");
  expect(stored?.offset).toBeLessThan(2 * half.length);
});
