import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import { useTusTarget } from "../conformance/tus/tus-target.ts";
import { patternBytes } from "../support/seeded.ts";

const run = promisify(execFile);
/** Debian's own, for which its packages are. */
const python = "/usr/bin/python3";

const target = useTusTarget();

const bytes = patternBytes({ seed: 411, length: 2_500_000 });
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-tuspy-"));
  await writeFile(join(directory, "file.bin"), bytes);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function needTuspy(context: TestContext): Promise<void> {
  const isThere = await run(python, ["-c", "import tusclient"]).then(
    () => true,
    () => false,
  );
  if (!isThere) context.skip("needs tuspy, as in Debian's package python3-tuspy");
}

/** Runs a program with `client`, `path` and `arguments` at hand; answers what it prints. */
async function tuspy(program: string, ...words: readonly string[]): Promise<string> {
  const { api } = target();
  const before = [
    "import sys",
    "from tusclient import client as tus",
    "endpoint, token, path, *arguments = sys.argv[1:]",
    'client = tus.TusClient(endpoint, headers={"Authorization": "Bearer " + token})',
  ];
  const script = [...before, program].join("\n");
  const path = join(directory, "file.bin");
  const given = [api.url.href, api.token ?? "", path, ...words];
  const { stdout } = await run(python, ["-c", script, ...given], { timeout: 25_000 });
  return stdout.trim();
}

async function expectCarried(url: string): Promise<void> {
  expect((await target().content(new URL(url))).equals(bytes)).toBe(true);
}

describe("tuspy", () => {
  it.for([
    ["in one request", ""],
    ["in pieces", ", chunk_size=700_000"],
    ["in pieces, each with its checksum", ", chunk_size=700_000, upload_checksum=True"],
  ] as const)("carries a file %s", async ([, more], context) => {
    await needTuspy(context);
    const url = await tuspy(
      `uploader = client.uploader(path, metadata={"filename": "a.bin"}${more})\n` +
        "uploader.upload()\nprint(uploader.url)",
    );
    await expectCarried(url);
    const metadata = (await target().api.head(new URL(url))).header("upload-metadata");
    expect(metadata).toBe(`filename ${btoa("a.bin")}`);
  });

  it("goes on with what another client began", async (context) => {
    await needTuspy(context);
    const { api } = target();
    const { href } = await api.create({ "Upload-Length": `${bytes.length}` });
    await api.patch({ url: new URL(href), offset: 0, bytes: bytes.subarray(0, 1_234_567) });
    const program =
      "uploader = client.uploader(path, url=arguments[0], chunk_size=500_000)\nuploader.upload()";
    await tuspy(program, href);
    await expectCarried(href);
  });
});
