import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NodeInput, Platform, QueueOptions, QueueSnapshot, UploadTask } from "./index.ts";
import { MemoryResumeStore, nodePlatform, UploadQueue } from "./index.ts";
import { failureOf } from "./testing/upload-case.ts";
import { ManyGraph } from "./testing/many-graph.ts";

let graph: ManyGraph;
let sources: { open: number; most: number };
let platform: Platform<NodeInput>;

beforeEach(async () => {
  graph = await ManyGraph.listen();
  sources = { open: 0, most: 0 };
  platform = { ...nodePlatform, openSource };
});
afterEach(async () => {
  await graph[Symbol.asyncDispose]();
});

/** Counts how many sources are open. */
async function openSource(input: NodeInput) {
  const source = await nodePlatform.openSource(input);
  sources.open += 1;
  sources.most = Math.max(sources.most, sources.open);
  const close = async () => {
    sources.open -= 1;
    await source.close();
  };
  return { ...source, close };
}

function newQueue(more: Partial<QueueOptions> = {}): UploadQueue {
  const retry = { waitMs: 5, attempts: 4 };
  return new UploadQueue({ url: graph.url, appId: "1", token: "t", retry, ...more }, platform);
}

/** Small files that differ from each other. */
function tinyFiles(count: number, from = 0): File[] {
  return Array.from(
    { length: count },
    (_, index) => new File([`file ${from + index}`], `${from + index}.txt`),
  );
}

const kindsOf = (tasks: readonly UploadTask[]) => tasks.map(({ state }) => state.kind);

test("five thousand files go up, three at a time, in order", async () => {
  const queue = newQueue();
  const seldom: QueueSnapshot[] = [];
  queue.subscribe((snapshot) => seldom.push(snapshot), { everyMs: 500 });
  const files = tinyFiles(5000);
  const tasks = queue.addAll(files);
  const length = files.reduce((sum, { size }) => sum + size, 0);
  expect(queue.snapshot).toMatchObject({ count: 5000, length, lengthsUnknown: 0, sent: 0 });
  expect(queue.snapshot.counts.waiting).toBe(5000);
  let changes = 0;
  queue.subscribe(() => (changes += 1));

  const totals = await queue.settled();
  expect(totals).toMatchObject({ count: 5000, sent: length, confirmed: length, length });
  expect(totals.counts).toMatchObject({ done: 5000, waiting: 0, uploading: 0 });
  expect(graph.complete).toHaveLength(5000);
  for (const { name, bytes } of graph.complete) {
    expect(bytes.toString()).toBe(`file ${name.replace(".txt", "")}`);
  }
  expect(graph.started.slice(0, 3).toSorted()).toEqual(["0.txt", "1.txt", "2.txt"]);
  expect(new Set(kindsOf(tasks))).toEqual(new Set(["done"]));
  expect(sources).toEqual({ open: 0, most: 3 });
  expect(queue.tasks).toEqual([]);
  // Whoever draws is told seldom, and of the end.
  expect(changes).toBeGreaterThan(15_000);
  expect(seldom.length).toBeLessThan(changes / 50);
  await expect.poll(() => seldom.at(-1)?.counts.done).toBe(5000);
}, 240_000);

describe("a queue", () => {
  test("goes on with the others when one fails, and counts it", async () => {
    const queue = newQueue();
    const [empty, ...others] = queue.addAll([new Uint8Array(), ...tinyFiles(4)]);
    const { counts } = await queue.settled();
    expect(counts).toMatchObject({ done: 4, failed: 1 });
    expect(empty?.state.kind).toBe("failed");
    expect(new Set(kindsOf(others))).toEqual(new Set(["done"]));
  });

  test("takes more while it runs, with options of their own", async () => {
    const queue = newQueue({ parallel: 1 });
    queue.add(new Uint8Array(5), { name: "first.bin" });
    await expect.poll(() => graph.started).toEqual(["first.bin"]);
    queue.add(new Uint8Array(5), { name: "second.bin" });
    await queue.settled();
    queue.add(new Uint8Array(5), { name: "third.bin" });
    await queue.settled();
    expect(graph.started).toEqual(["first.bin", "second.bin", "third.bin"]);
  });

  test("refuses options that mean nothing at once", () => {
    expect(() => newQueue({ parallel: 0 })).toThrow(/parallel is 0/);
    expect(() => newQueue({ appId: "x" })).toThrow(/appId is/);
    expect(() => newQueue().add("x", { chunkSize: -1 })).toThrow(/chunkSize is -1/);
  });

  test("gives the turn of a paused task to the next, and lets it back in before others", async () => {
    graph.held = true;
    const queue = newQueue({ parallel: 1 });
    const [first, second] = queue.addAll(tinyFiles(4));
    await expect.poll(() => graph.complete.length).toBe(1);
    first?.pause();
    await expect.poll(() => graph.complete.length).toBe(2);
    expect(kindsOf(queue.tasks)).toEqual(["paused", "uploading", "waiting", "waiting"]);
    first?.resume();
    await expect.poll(() => first?.state.kind).toBe("waiting");
    graph.held = false;
    second?.pause();
    await first;
    second?.resume();
    await queue.settled();
    expect(graph.started).toEqual(["0.txt", "1.txt", "2.txt", "3.txt"]);
    expect(queue.snapshot.counts.done).toBe(4);
  });

  test("stands still when all are paused, and goes on with what it was at", async () => {
    graph.held = true;
    const queue = newQueue();
    queue.addAll(tinyFiles(10));
    await expect.poll(() => graph.complete.length).toBe(3);
    queue.pauseAll();
    queue.add(new Uint8Array(3));
    await expect.poll(() => queue.snapshot.counts).toMatchObject({ paused: 3, waiting: 8 });
    graph.held = false;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(queue.snapshot.counts).toMatchObject({ paused: 3, waiting: 8 });
    expect(graph.started).toHaveLength(3);
    queue.resumeAll();
    expect((await queue.settled()).counts.done).toBe(11);
    // The three of before were resumed, not begun anew.
    expect(graph.started).toHaveLength(11);
    expect(sources).toEqual({ open: 0, most: 3 });
  });

  test("stays paused when it is resumed and paused again at once", async () => {
    const queue = newQueue();
    queue.pauseAll();
    queue.addAll(tinyFiles(5));
    queue.resumeAll();
    queue.pauseAll();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(graph.started).toEqual([]);
    queue.resumeAll();
    expect((await queue.settled()).counts.done).toBe(5);
  });

  test("gives everything up when told to, and waiting ones never begin", async () => {
    graph.held = true;
    const queue = newQueue();
    queue.addAll(tinyFiles(100));
    await expect.poll(() => graph.complete.length).toBe(3);
    await queue.cancelAll();
    expect((await queue.settled()).counts.cancelled).toBe(100);
    expect(graph.started).toHaveLength(3);
    expect(graph.uploads.size).toBe(0);
    expect(sources.open).toBe(0);
  });

  test("gives up what an earlier page began of files that wait, opening one at a time", async () => {
    const resumeStore = new MemoryResumeStore();
    const leaving = new AbortController();
    const files = tinyFiles(20);
    graph.held = true;
    const earlier = newQueue({ parallel: 20, resumeStore, signal: leaving.signal });
    earlier.addAll(files);
    await expect.poll(() => graph.complete.length).toBe(20);
    leaving.abort();
    await earlier.settled();

    sources.most = 0;
    const queue = newQueue({ resumeStore });
    const tasks = queue.addAll(files);
    await expect.poll(() => queue.snapshot.counts.uploading).toBe(3);
    await tasks[3]?.cancel();
    expect(graph.uploads.size).toBe(19);
    expect(await resumeStore.list()).toHaveLength(19);
    await queue.cancelAll();
    expect(graph.uploads.size).toBe(0);
    expect(await resumeStore.list()).toEqual([]);
    expect(sources).toEqual({ open: 0, most: 4 });
  });

  test("takes the files of a folder, under their names alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hawser-folder-"));
    await mkdir(join(folder, "inner"));
    await writeFile(join(folder, "outer.txt"), "outer");
    await writeFile(join(folder, "inner", "inner.txt"), "inner");
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const queue = newQueue();
    queue.addAll(files.map(({ parentPath, name }) => join(parentPath, name)));
    expect((await queue.settled()).counts.done).toBe(2);
    expect(graph.started.toSorted()).toEqual(["inner.txt", "outer.txt"]);
    await rm(folder, { recursive: true });
  });

  test("says nothing of namesakes that are sent beside each other", async () => {
    const warnings: string[] = [];
    const onWarning = ({ code }: { code: string }) => warnings.push(code);
    const queue = newQueue({ resumeStore: new MemoryResumeStore(), onWarning });
    queue.addAll(tinyFiles(20).map((file) => new File([file], "cover.txt", { lastModified: 1 })));
    expect((await queue.settled()).counts.done).toBe(20);
    expect(warnings).toEqual([]);
  });

  test("ends with its caller's signal, those that wait as well", async () => {
    const controller = new AbortController();
    graph.held = true;
    const queue = newQueue({ signal: controller.signal });
    queue.addAll(tinyFiles(20));
    await expect.poll(() => graph.complete.length).toBe(3);
    controller.abort();
    expect((await queue.settled()).counts.aborted).toBe(20);
  });

  test("a wait for its end can be ended, which stops nothing", async () => {
    const queue = newQueue();
    queue.addAll(tinyFiles(5));
    const early = new AbortController();
    const waiting = queue.settled(early.signal);
    early.abort();
    expect((await failureOf(waiting)).code).toBe("aborted");
    expect((await queue.settled()).counts.done).toBe(5);
  });

  test("knows no time that is left while a file's length is not known", async () => {
    const queue = newQueue();
    queue.pauseAll();
    queue.addAll([import.meta.filename, new Uint8Array(7)]);
    expect(queue.snapshot).toMatchObject({ length: 7, lengthsUnknown: 1, secondsLeft: undefined });
    queue.resumeAll();
    const { length, lengthsUnknown, sent } = await queue.settled();
    expect(lengthsUnknown).toBe(0);
    expect(length).toBe(sent);
    expect(length).toBeGreaterThan(1000);
  });
});

describe("a token callback of a queue", () => {
  test("is asked once for files that are added together", async () => {
    let asked = 0;
    const queue = newQueue({ token: () => `token-${(asked += 1)}` });
    queue.addAll(tinyFiles(20));
    expect((await queue.settled()).counts.done).toBe(20);
    expect(asked).toBe(1);
  });

  test("is asked again, once for all, when its answer is refused", async () => {
    let asked = 0;
    graph.refused.add("token-1");
    const queue = newQueue({ token: () => Promise.resolve(`token-${(asked += 1)}`) });
    queue.addAll(tinyFiles(20));
    expect((await queue.settled()).counts.done).toBe(20);
    expect(asked).toBe(2);
  });

  test("is asked anew for files that come when the queue was empty", async () => {
    let asked = 0;
    const queue = newQueue({ token: () => `token-${(asked += 1)}` });
    queue.addAll(tinyFiles(2));
    await queue.settled();
    queue.addAll(tinyFiles(2, 2));
    await queue.settled();
    expect(asked).toBe(2);
  });

  test("works on for the others when the file that asked is cancelled", async () => {
    const answered = Promise.withResolvers<string>();
    const asked = Promise.withResolvers<AbortSignal>();
    const queue = newQueue({
      token: (signal) => {
        asked.resolve(signal);
        return answered.promise;
      },
    });
    const [first, second] = queue.addAll(tinyFiles(2));
    const signal = await asked.promise;
    await first?.cancel();
    expect(signal.aborted).toBe(false);
    answered.resolve("token");
    expect(await second).toMatchObject({ retries: 0 });
  });

  test("gives way to a token of the file's own", async () => {
    graph.refused.add("own");
    const queue = newQueue({ token: "shared" });
    const task = queue.add(new File(["a"], "a"), { token: "own" });
    expect((await failureOf(task)).code).toBe("not-authorised");
  });
});
