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

  const long = 2 * 1024 ** 2;

  /** Sources that wait after their first chunk until they are told to end. */
  function heldSources(count: number) {
    let begun = 0;
    const end = Promise.withResolvers<undefined>();
    async function* source(): AsyncIterable<Uint8Array> {
      begun += 1;
      yield new Uint8Array(10);
      await end.promise;
    }
    const sources = Array.from({ length: count }, source);
    return {
      sources,
      end: () => {
        end.resolve(undefined);
      },
      begun: () => begun,
    };
  }

  it("reads no more than two long ones at once, and all of them in the end", async () => {
    const { sources, end, begun } = heldSources(5);
    const hashed = sources.map((source) => sha256Of(source, long));
    await turn();
    expect(begun()).toBe(2);
    end();
    expect(new Set(await Promise.all(hashed)).size).toBe(1);
    expect(begun()).toBe(5);
  });

  it("that waits for its turn ends when it is aborted, without being read", async () => {
    const { sources, end, begun } = heldSources(3);
    const aborting = new AbortController();
    const hashed = sources.map((source) => sha256Of(source, long, aborting.signal));
    await turn();
    aborting.abort(new Error("nobody wants it"));
    await expect(hashed[2]).rejects.toThrow("nobody wants it");
    end();
    await Promise.all(hashed.slice(0, 2));
    expect(begun()).toBe(2);
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
