import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileResumeStore } from "./file.ts";
import { MemoryResumeStore } from "./memory.ts";
import type { ResumeEntry, ResumeStore } from "./resume-store.ts";

const entry: ResumeEntry = {
  url: "http://host",
  appId: "1",
  identity: "file:/a",
  fingerprint: "f",
  name: "a",
  type: "a/b",
  length: 5,
  id: "upload:x",
  state: "open",
  updatedAt: 7,
};

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "hawser-resume-")), "state");
});
afterEach(async () => {
  await rm(join(directory, ".."), { recursive: true });
});

const stores: [string, () => ResumeStore][] = [
  ["the file store", () => new FileResumeStore(directory)],
  ["the memory store", () => new MemoryResumeStore()],
];

describe.each(stores)("%s", (_, open) => {
  test("gives back what was put, replaces it whole, and forgets what was removed", async () => {
    const store = open();
    expect(await store.get("k")).toBeUndefined();
    await store.put("k", { ...entry, handle: "h" });
    await store.put("k", entry);
    expect(await store.get("k")).toEqual(entry);
    expect(await store.list()).toEqual([{ key: "k", entry }]);
    await store.remove("k");
    await store.remove("k");
    expect(await store.list()).toEqual([]);
  });

  test("survives many puts of one key at once", async () => {
    const store = open();
    await Promise.all(
      Array.from({ length: 20 }, (__, length) => store.put("k", { ...entry, length })),
    );
    expect(await store.get("k")).toMatchObject({ id: entry.id });
    expect(await store.list()).toHaveLength(1);
  });
});

describe("the file store", () => {
  test("keeps entries where only their owner can read them, and leaves nothing else", async () => {
    await new FileResumeStore(directory).put("k", entry);
    const [name = "", ...others] = await readdir(directory);
    expect(others).toEqual([]);
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test("takes a damaged entry for none", async () => {
    const store = new FileResumeStore(directory);
    await store.put("k", entry);
    const [name = ""] = await readdir(directory);
    for (const text of ["", "{", "null", '{"version":1,"key":"k","entry":{}}', '{"version":2}']) {
      await writeFile(join(directory, name), text);
      expect(await store.get("k")).toBeUndefined();
      expect(await store.list()).toEqual([]);
    }
  });
});
