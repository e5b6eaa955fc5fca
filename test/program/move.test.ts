import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";
import {
  environmentWithoutHawser,
  ServerProcess,
  sourceProgram,
} from "../support/server-process.ts";

const run = promisify(execFile);
const length = 9_000_000;
const half = 4_500_000;
let root: string;
let old: ServerProcess;
let open: string;
let handle: string;
let fileId: string;

/** The command, as an operator would type it. */
async function hawser(words: readonly string[], key?: string): Promise<string> {
  const { stdout } = await run(process.execPath, [...sourceProgram, ...words], {
    env: { ...environmentWithoutHawser(), ...(key === undefined ? {} : { HAWSER_KEY: key }) },
  });
  return stdout;
}

function apiOf({ address: url, appId, token }: ServerProcess): GraphApi {
  return new GraphApi({ url, appId, token });
}

async function upload(api: GraphApi, seed: number, size: number): Promise<string> {
  const id = await api.start({ file_length: size });
  const answer = await api.append({ id, offset: 0, bytes: patternBytes({ seed, length: size }) });
  return answer.text("h");
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hawser-move-"));
  old = await ServerProcess.start();
  const api = apiOf(old);
  open = await api.start({ file_length: length });
  await api
    .append({ id: open, offset: 0, bytes: patternBytes({ seed: 1, length: half }) })
    .catch(() => undefined);
  handle = await upload(api, 2, 3_000);
  fileId = await api.publish(await upload(api, 3, length));
  await old.terminate();
  await hawser(["export", "--data", old.dataDirectory, join(root, "archive")]);
}, 60_000);

afterAll(async () => {
  await old.remove();
  await rm(root, { recursive: true });
});

async function keyOf(directory: string): Promise<string> {
  return (await readFile(join(directory, "key"), "utf8")).trim();
}

async function importInto(name: string, archive = "archive"): Promise<Record<string, unknown>> {
  const words = ["import", "--json", "--data", join(root, name), join(root, archive)];
  const report: unknown = JSON.parse(await hawser(words, await keyOf(old.dataDirectory)));
  return { ...(report as object) };
}

test("a deployment that was moved has every upload where it was, under the same ids", async () => {
  expect(await importInto("new")).toMatchObject({ uploads: 3, known: 0 });
  // An import that is begun again leaves what is there as it is.
  expect(await importInto("new")).toMatchObject({ uploads: 0, known: 3 });
  const environment = { HAWSER_KEY: await keyOf(old.dataDirectory) };
  const dataDirectory = join(root, "new");
  await using moved = await ServerProcess.start({ dataDirectory, environment });
  const api = apiOf(moved);
  const offset = await api.offset(open);
  expect(offset).toBe(half);
  const rest = patternBytes({ seed: 1, start: offset, length: length - offset });
  const last = await api.append({ id: open, offset, bytes: rest });
  const contents = [
    { seed: 1, size: length, content: await api.content(await api.publish(last.text("h"))) },
    { seed: 2, size: 3_000, content: await api.content(await api.publish(handle)) },
    { seed: 3, size: length, content: await api.content(fileId) },
  ];
  for (const { seed, size, content } of contents) {
    expect(content).toHaveLength(size);
    expect(firstStrangeByte(content, { seed })).toBeUndefined();
  }
}, 60_000);

test("another key and a damaged file are named, and nothing is told to be there that is not", async () => {
  const words = ["import", "--data", join(root, "other"), join(root, "archive")];
  await expect(hawser(words, "another key of sixteen characters")).rejects.toThrow(
    "under a key that is not configured",
  );
  const blobs = await readdir(join(root, "archive", "blobs"));
  for (const blob of blobs) await appendFile(join(root, "archive", "blobs", blob), "x");
  const damaged = ["import", "--data", join(root, "damaged"), join(root, "archive")];
  await expect(hawser(damaged, await keyOf(old.dataDirectory))).rejects.toThrow(
    "where the archive's list says",
  );
}, 60_000);
