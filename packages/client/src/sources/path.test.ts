import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32Of } from "../crc32.ts";
import { pathSource } from "./path.ts";

const content = Buffer.alloc(3 * 1024 * 1024 + 5, "hawser");
let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-source-"));
  file = join(directory, "a.pdf");
  await writeFile(file, content);
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function read(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  // Chunks are only lent: they are copied, as any reader that keeps them must.
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

describe("a file by its path", () => {
  test("gives any range of its bytes, as often as wanted", async () => {
    const source = await pathSource(file, crc32);
    const ends = [0, 1, 1024 * 1024, 1024 * 1024 + 1, 2_500_000, content.length];
    for (const start of ends) {
      for (const end of ends.filter((candidate) => candidate >= start)) {
        const range = content.subarray(start, end);
        expect((await read(source.open(start, end))).equals(range)).toBe(true);
      }
    }
    const whole = await crc32Of(source.open(0, content.length), crc32);
    expect(whole).toBe(crc32(content).toString(16).padStart(8, "0"));
    await source.close();
  });

  test("can be let go of in the middle", async () => {
    const source = await pathSource(file, crc32);
    for await (const chunk of source.open(0, content.length)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await source.close();
  });

  test.each<[string, () => Promise<void>]>([
    ["became shorter", () => truncate(file, 100)],
    ["became longer", () => writeFile(file, "more", { flag: "a" })],
    ["was written to", () => utimes(file, 1, 1)],
  ])("says so when it %s before the last byte is out", async (_, change) => {
    const source = await pathSource(file, crc32);
    await change();
    await expect(read(source.open(0, content.length))).rejects.toMatchObject({
      code: "source-changed",
    });
    await source.close();
  });

  test("has another fingerprint when its content or time changes, and the same name", async () => {
    const first = await pathSource(file, crc32);
    await writeFile(file, Buffer.alloc(content.length, "another"));
    const second = await pathSource(file, crc32);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    expect(second.identity).toBe(first.identity);
    await Promise.all([first.close(), second.close()]);
  });

  test("is refused when it is a directory or a pipe", async () => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const path of [directory, pipe]) {
      await expect(pathSource(path, crc32)).rejects.toThrow(/not a plain file/);
    }
  });
});
