import { createHash, randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sha256Of } from "./sha256.ts";

async function* piecesOf(bytes: Uint8Array, pieceBytes: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await turn();
    yield bytes.subarray(at, at + pieceBytes);
  }
}

describe("sha256Of", () => {
  it.for([0, 1, 1024 ** 2, 1024 ** 2 + 1, 5_000_000])("is right for %d bytes", async (length) => {
    const bytes = randomBytes(length);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(await sha256Of(piecesOf(bytes, 300_000), length)).toBe(expected);
  });

  it("fails as its source fails", async () => {
    async function* broken(): AsyncIterable<Uint8Array> {
      await turn();
      yield new Uint8Array(10);
      throw new Error("unreadable");
    }
    await expect(sha256Of(broken(), 2 * 1024 ** 2)).rejects.toThrow("unreadable");
  });
});
