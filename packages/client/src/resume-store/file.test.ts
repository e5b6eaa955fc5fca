import type { FileHandle } from "node:fs/promises";
import { mkdtemp, open, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
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

const repairs: (() => void)[] = [];
afterEach(() => {
  for (const repair of repairs.splice(0)) repair();
});

/** Notes what is synced, in this order, until the test ends. */
async function recordSyncs(): Promise<{ readonly inodes: number[] }> {
  const inodes: number[] = [];
  const handle = await open(join(directory, ".."));
  // `as` because what all handles share has no name of its own in Node.
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const sync = Reflect.get(prototype, "sync");
  repairs.push(() => (prototype.sync = sync));
  prototype.sync = async function (this: FileHandle) {
    await Reflect.apply(sync, this, []);
    inodes.push((await this.stat()).ino);
  };
  return { inodes };
}

const stores: [string, () => ResumeStore][] = [
  ["the file store", () => new FileResumeStore(directory)],
  ["the memory store", () => new MemoryResumeStore()],
];

describe.each(stores)("%s", (_, openStore) => {
  test("gives back what was put, replaces it whole, and forgets what was removed", async () => {
    const store = openStore();
    expect(await store.get("k")).toBeUndefined();
    await store.put("k", { ...entry, handle: "h" });
    await store.put("k", entry);
    expect(await store.get("k")).toEqual(entry);
    expect(await store.list()).toEqual([{ key: "k", entry }]);
    await store.remove("k");
    await store.remove("k");
    expect(await store.list()).toEqual([]);
  });

  test("lists those alone whose key begins as wanted", async () => {
    const store = openStore();
    for (const key of ["a", "k", "k:1", "l"]) await store.put(key, entry);
    const keysFrom = async (start: string) => (await store.list(start)).map(({ key }) => key);
    expect((await keysFrom("k")).toSorted()).toEqual(["k", "k:1"]);
    expect(await keysFrom("k:")).toEqual(["k:1"]);
    expect(await keysFrom("x")).toEqual([]);
  });

  test("survives many puts of one key at once", async () => {
    const store = openStore();
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

  test("puts and removes durably: the directory is synced after its entries change", async () => {
    const synced = await recordSyncs();
    const store = new FileResumeStore(join(directory, "deep"));
    await store.put("k", entry);
    const inode = async (path: string) => (await stat(path)).ino;
    // The file, what names it, and what names the directories that were made for it.
    expect(synced.inodes).toEqual(
      expect.arrayContaining([
        await inode(join(directory, "deep")),
        await inode(directory),
        await inode(join(directory, "..")),
      ]),
    );
    synced.inodes.length = 0;
    await store.put("k", { ...entry, state: "complete" });
    expect(synced.inodes.at(-1)).toBe(await inode(join(directory, "deep")));
    synced.inodes.length = 0;
    await store.remove("k");
    expect(synced.inodes).toEqual([await inode(join(directory, "deep"))]);
    await new FileResumeStore(join(directory, "none")).remove("k");
  });

  test("clears what a process that was killed left of a put, and nothing that may be under way", async () => {
    const store = new FileResumeStore(directory);
    await store.put("k", entry);
    const [left, fresh] = [join(directory, "a.json.0.new"), join(directory, "b.json.0.new")];
    for (const path of [left, fresh]) await writeFile(path, "{");
    const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
    await utimes(left, longAgo, longAgo);
    await store.put("k", entry);
    expect((await readdir(directory)).filter((name) => name.endsWith(".new"))).toEqual([
      "b.json.0.new",
    ]);
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
