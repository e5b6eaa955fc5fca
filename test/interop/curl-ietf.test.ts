import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import { useIetfTarget } from "../conformance/ietf/ietf-target.ts";
import { patternBytes } from "../support/seeded.ts";

const run = promisify(execFile);
const target = useIetfTarget();

const bytes = patternBytes({ seed: 441, length: 2_500_000 });
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

interface CurlRun {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly string[];
  readonly file?: string;
}

/** The heads of all answers, interim ones too, as `curl -v` prints them. */
async function curl(context: TestContext, wanted: CurlRun): Promise<string> {
  const { api } = target();
  const usual = Object.entries({ ...api.authorization, ...api.interop });
  const headers = [...usual.map((header) => header.join(": ")), ...wanted.headers];
  const words = [
    ...["-sS", "-v", "-o", join(directory, "answer"), "-X", wanted.method],
    ...headers.flatMap((header) => ["-H", header]),
    ...(wanted.file === undefined ? [] : ["--data-binary", `@${join(directory, wanted.file)}`]),
    wanted.url,
  ];
  try {
    const { stderr } = await run("curl", words, { timeout: 25_000 });
    const lines = stderr.split("\n").filter((line) => line.startsWith("< "));
    return lines.map((line) => line.slice(2).trim()).join("\n");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return context.skip("needs curl");
    }
    throw error;
  }
}

function location(heads: string): string {
  const url = /^location: (\S+)/im.exec(heads)?.[1];
  if (url === undefined) throw new Error(`no location: ${heads}`);
  return url;
}

async function expectWhole(url: string): Promise<void> {
  await target().expectContent(url, bytes);
}

describe("curl", () => {
  it("shows the interim answers of an upload in one request, and its last one", async (context) => {
    const url = target().api.url.href;
    const headers = ["Upload-Complete: ?1", "Content-Type: application/pdf"];
    const heads = await curl(context, { url, method: "POST", headers, file: "whole" });
    const statuses = heads.match(/^HTTP\/1\.1 \d+/gm)?.map((line) => line.slice(-3));
    expect(statuses?.[0]).toBe("104");
    expect(statuses?.at(-1)).toBe("201");
    const announced = /^HTTP\/1\.1 104[^]*?^location: (\S+)/im.exec(heads)?.[1];
    expect(announced).toBe(location(heads));
    expect(heads).toMatch(/^upload-draft-interop-version: 10$/im);
    expect(heads).toMatch(/^upload-complete: \?1$/im);
    await expectWhole(location(heads));
  });

  it("sends an upload in two requests and asks for the offset in between", async (context) => {
    const collection = target().api.url.href;
    const created = await curl(context, {
      url: collection,
      method: "POST",
      headers: ["Upload-Complete: ?0", "Content-Type: application/pdf"],
      file: "first",
    });
    const url = location(created);
    const asked = await curl(context, { url, method: "GET", headers: [] });
    expect(asked).toMatch(/^upload-offset: 1000000$/im);
    const type = "Content-Type: application/partial-upload";
    const headers = ["Upload-Complete: ?1", `Upload-Offset: ${half}`, type];
    const last = await curl(context, { url, method: "PATCH", headers, file: "rest" });
    expect(last).toMatch(/^HTTP\/1\.1 201 /m);
    expect(last).toMatch(/^upload-offset: 2500000$/im);
    await expectWhole(url);
  });
});
