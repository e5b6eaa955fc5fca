import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { crc32Of } from "../crc32.ts";
import { spoolSource } from "./spool.ts";

const content = Buffer.alloc(3 * 1024 * 1024 + 5, "%PDF-1.4 hawser");
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-spool-test-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The content in pieces that fit nothing. */
const stream = () => Readable.from(pieces());

function* pieces() {
  for (let from = 0; from < content.length; from += 77_777) {
    yield content.subarray(from, from + 77_777);
  }
}

test("a stream becomes a source that can be read again, and leaves nothing behind", async () => {
  const source = await spoolSource(stream(), crc32, { bytesMax: content.length, directory });
  expect(await readdir(directory)).toEqual([]);
  expect(source).toMatchObject({ length: content.length, type: "application/pdf" });
  for (const start of [0, 1_000_000]) {
    const expected = crc32(content.subarray(start)).toString(16).padStart(8, "0");
    expect(await crc32Of(source.open(start, content.length), crc32)).toBe(expected);
  }
  await source.close();
});

test("its name tells the media type", async () => {
  const options = { bytesMax: content.length, directory, name: "report.csv" };
  const source = await spoolSource(stream(), crc32, options);
  expect(source).toMatchObject({ name: "report.csv", type: "text/csv" });
  await source.close();
});

test("a stream that is too long is refused and its file removed", async () => {
  const spooled = spoolSource(stream(), crc32, { bytesMax: content.length - 1, directory });
  await expect(spooled).rejects.toMatchObject({ code: "source-unreadable" });
  expect(await readdir(directory)).toEqual([]);
});

test("an abort ends the wait for a stream that gives nothing", async () => {
  const controller = new AbortController();
  const silent = new Readable({ read: () => undefined });
  const options = { bytesMax: 1, directory, signal: controller.signal };
  const spooled = spoolSource(silent, crc32, options);
  controller.abort();
  await expect(spooled).rejects.toMatchObject({ code: "aborted" });
  expect(await readdir(directory)).toEqual([]);
});
