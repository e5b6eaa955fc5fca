import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import { checksumOf } from "../conformance/tus/checksums.ts";
import { useTusTarget } from "../conformance/tus/tus-target.ts";
import { patternBytes } from "../support/seeded.ts";

const run = promisify(execFile);
const target = useTusTarget();

const bytes = patternBytes({ seed: 421, length: 2_500_000 });
const half = 1_000_000;
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-curl-"));
  await writeFile(join(directory, "whole"), bytes);
  await writeFile(join(directory, "first"), bytes.subarray(0, half));
  await writeFile(join(directory, "rest"), bytes.subarray(half));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What an answer's head says, as curl prints it; the status is its first line. */
async function curl(context: TestContext, url: string, words: readonly string[]): Promise<string> {
  const { api } = target();
  const usual = [
    "Tus-Resumable: 1.0.0",
    ...Object.entries(api.authorization).map((h) => h.join(": ")),
  ];
  const headers = usual.flatMap((header) => ["-H", header]);
  try {
    const words_ = ["-sS", "-D", "-", "-o", "/dev/null", ...headers, ...words, url];
    return (await run("curl", words_, { timeout: 25_000 })).stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return context.skip("needs curl");
    }
    throw error;
  }
}

function sending(file: string, headers: readonly string[]): string[] {
  const type = "Content-Type: application/offset+octet-stream";
  const all = [type, ...headers].flatMap((header) => ["-H", header]);
  return [...all, "--data-binary", `@${join(directory, file)}`];
}

function locationOf(head: string): string {
  const location = /^location: (\S+)/im.exec(head)?.[1];
  if (location === undefined) throw new Error(`no location: ${head}`);
  return location;
}

describe("curl", () => {
  it("creates an upload, sends it in two requests and asks in between", async (context) => {
    const { api } = target();
    const length = `Upload-Length: ${bytes.length}`;
    const created = await curl(context, api.url.href, ["-X", "POST", "-H", length]);
    expect(created).toMatch(/^HTTP\/1\.1 201 /);
    const url = locationOf(created);
    const first = await curl(context, url, [
      "-X",
      "PATCH",
      ...sending("first", ["Upload-Offset: 0"]),
    ]);
    expect(first).toMatch(/ 204 [\s\S]*upload-offset: 1000000\r\n/i);
    expect(await curl(context, url, ["-I"])).toMatch(/ 200 [\s\S]*upload-offset: 1000000\r\n/i);
    const at = `Upload-Offset: ${half}`;
    const rest = await curl(context, url, ["-X", "PATCH", ...sending("rest", [at])]);
    expect(rest).toMatch(/ 204 [\s\S]*upload-offset: 2500000\r\n/i);
    expect((await target().content(new URL(url))).equals(bytes)).toBe(true);
  });

  it("creates an upload and sends it in one request, with a checksum", async (context) => {
    const { api } = target();
    const headers = [
      `Upload-Length: ${bytes.length}`,
      `Upload-Checksum: ${checksumOf("sha1", bytes)}`,
    ];
    const created = await curl(context, api.url.href, sending("whole", headers));
    expect(created).toMatch(/ 201 [\s\S]*upload-offset: 2500000\r\n/i);
    const url = locationOf(created);
    expect((await target().content(new URL(url))).equals(bytes)).toBe(true);
  });

  it("is told at once, before it sends a body, that its offset is wrong", async (context) => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": `${bytes.length}` });
    const headers = ["Upload-Offset: 7", "Expect: 100-continue"];
    const answer = await curl(context, url.href, ["-X", "PATCH", ...sending("whole", headers)]);
    expect(answer).toMatch(/^HTTP\/1\.1 409 /);
    expect(await api.offsetOf(url)).toBe(0);
  });
});
