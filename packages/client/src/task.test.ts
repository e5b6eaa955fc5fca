import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UploadOptions, UploadSnapshot, UploadState, UploadTask } from "./index.ts";
import { MemoryResumeStore, upload } from "./index.ts";
import { answering, FakeGraph, stallAfter } from "./testing/fake-graph.ts";
import { failureOf, optionsFor } from "./testing/upload-case.ts";

const size = 3 * 1024 * 1024 + 17;
const content = randomBytes(size);
let fake: FakeGraph;

beforeEach(async () => {
  fake = await FakeGraph.listen();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const options = (more: Partial<UploadOptions> = {}) => optionsFor(fake, more);

/** Resolves when the task comes to that state. */
async function until(task: UploadTask, kind: UploadState["kind"]): Promise<UploadSnapshot> {
  for await (const snapshot of task.snapshots()) {
    if (snapshot.state.kind === kind) return snapshot;
  }
  return expect.unreachable(`the task never was ${kind}`);
}

/** Pauses the task when the server has kept so many bytes. */
async function pauseAt(task: UploadTask, bytes: number): Promise<void> {
  await expect.poll(() => fake.kept.length).toBe(bytes);
  task.pause();
  await until(task, "paused");
}

describe("a paused task", () => {
  test("asks for the offset when it is resumed, and goes on there", async () => {
    fake.appendFaults.push(stallAfter(1_000_000));
    const task = upload(content, options());
    await pauseAt(task, 1_000_000);
    const before = fake.requests.length;
    task.resume();
    const result = await task;
    expect(fake.requests.slice(before).map((line) => line.replace(fake.id, "ID"))).toEqual([
      "GET /v21.0/ID&fields=file_length%2Cstatus%2Ccrc32",
      "POST /v21.0/ID@1000000",
    ]);
    expect(fake.kept.equals(content)).toBe(true);
    expect(result).toMatchObject({ retries: 0, resumedFrom: 0 });
  });

  test("sends nothing until it is resumed", async () => {
    fake.appendFaults.push(stallAfter(5000));
    const task = upload(content, options());
    await pauseAt(task, 5000);
    const before = fake.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fake.requests).toHaveLength(before);
    expect(task.progress).toMatchObject({ rate: 0, secondsLeft: undefined, length: size });
    task.abort();
    await failureOf(task);
  });

  test("can be paused again and again", async () => {
    const stops = [1000, 500_000, 500_001, 2_000_000];
    fake.appendFaults.push(
      ...stops.map((stop, index) => stallAfter(stop - (stops[index - 1] ?? 0))),
    );
    const task = upload(content, options());
    for (const stop of stops) {
      await pauseAt(task, stop);
      task.resume();
      task.pause();
      task.resume();
    }
    await task;
    expect(fake.kept.equals(content)).toBe(true);
    expect(fake.starts).toBe(1);
  });

  test("may be paused before anything was sent, and while it waits after a failure", async () => {
    const early = upload(content, options());
    early.pause();
    await until(early, "paused");
    expect(fake.requests).toEqual([]);
    early.resume();
    await early;

    fake.startFaults.push(answering(503, {}));
    const waiting = upload(content, options({ retry: { waitMs: 60_000, waitMsMax: 60_000 } }));
    await until(waiting, "retrying");
    waiting.pause();
    await until(waiting, "paused");
    waiting.resume();
    await waiting;
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("ends when it is aborted, and another task goes on with the upload", async () => {
    const resumeStore = new MemoryResumeStore();
    fake.appendFaults.push(stallAfter(1000));
    const task = upload(content, options({ resumeStore }));
    await pauseAt(task, 1000);
    task.abort();
    expect((await failureOf(task)).code).toBe("aborted");
    expect(task.state).toEqual({ kind: "aborted" });
    expect((await upload(content, options({ resumeStore }))).resumedFrom).toBe(1000);
  });

  test("is given up on the server when cancelled", async () => {
    fake.appendFaults.push(stallAfter(1000));
    const task = upload(content, options());
    await pauseAt(task, 1000);
    await task.cancel();
    expect(task.state).toEqual({ kind: "cancelled" });
    expect(fake.requests.at(-1)).toBe(`DELETE /v21.0/${fake.id}`);
  });

  test("ends when the caller's signal is aborted", async () => {
    const controller = new AbortController();
    fake.appendFaults.push(stallAfter(1000));
    const task = upload(content, options({ signal: controller.signal }));
    await pauseAt(task, 1000);
    controller.abort();
    expect((await failureOf(task)).code).toBe("aborted");
  });

  test("does nothing when it is over", async () => {
    const task = upload(content, options());
    await task;
    task.pause();
    task.resume();
    task.abort();
    expect(task.state.kind).toBe("done");
  });
});

describe("cancelling", () => {
  const deletes = () => fake.requests.filter((line) => line.startsWith("DELETE"));

  /** A store that knows an upload of this content that an earlier process began. */
  async function beganEarlier(): Promise<MemoryResumeStore> {
    const resumeStore = new MemoryResumeStore();
    fake.appendFaults.push(stallAfter(1000));
    const task = upload(content, options({ resumeStore }));
    await expect.poll(() => fake.kept.length).toBe(1000);
    task.abort();
    await failureOf(task);
    return resumeStore;
  }

  test("while it is checked what was begun earlier gives that up, on the server too", async () => {
    const resumeStore = await beganEarlier();
    fake.askFaults.push(() => true);
    const task = upload(content, options({ resumeStore }));
    await until(task, "checking");
    await task.cancel();
    expect(task.state).toEqual({ kind: "cancelled" });
    expect(deletes()).toEqual([`DELETE /v21.0/${fake.id}`]);
    expect(await resumeStore.list()).toEqual([]);
  });

  test("before its turn gives up what was begun earlier, unless a fresh upload was asked for", async () => {
    const resumeStore = await beganEarlier();
    await upload(content, options({ resumeStore, fresh: true })).cancel();
    expect(deletes()).toEqual([]);
    expect(await resumeStore.list()).toHaveLength(1);
    await upload(content, options({ resumeStore })).cancel();
    expect(deletes()).toEqual([`DELETE /v21.0/${fake.id}`]);
    expect(await resumeStore.list()).toEqual([]);
  });

  test("what is done, or was done earlier, does nothing", async () => {
    const kept = options({ resumeStore: new MemoryResumeStore(), keepCompleted: true });
    const task = upload(content, kept);
    await task;
    await task.cancel();
    expect(task.state.kind).toBe("done");
    await upload(content, kept).cancel();
    expect(deletes()).toEqual([]);
    expect(await kept.resumeStore?.list()).toHaveLength(1);
  });

  test("a file that cannot be opened has nothing to give up", async () => {
    const task = upload("/no/such/file", options({ resumeStore: new MemoryResumeStore() }));
    await failureOf(task);
    await task.cancel();
    expect(task.state.kind).toBe("failed");
  });
});

describe("watching a task", () => {
  test("snapshots begin with the present and end with the end", async () => {
    const kinds: string[] = [];
    for await (const { state } of upload(content, options()).snapshots()) {
      if (kinds.at(-1) !== state.kind) kinds.push(state.kind);
    }
    expect(kinds).toEqual(["waiting", "starting", "uploading", "done"]);
  });

  test("a reader that takes its time misses what lies between, never the end", async () => {
    const task = upload(content, options());
    const snapshots = task.snapshots();
    await snapshots.next();
    await task;
    const last = await snapshots.next();
    expect(last.value).toMatchObject({ state: { kind: "done" }, progress: { confirmed: size } });
    expect((await snapshots.next()).done).toBe(true);
  });

  test("a reader's signal ends its reading alone", async () => {
    fake.appendFaults.push(stallAfter(1000));
    const task = upload(content, options());
    await expect.poll(() => fake.kept.length).toBe(1000);
    const reading = new AbortController();
    const read = async () => {
      for await (const { state } of task.snapshots(reading.signal)) {
        if (state.kind === "uploading") reading.abort();
      }
    };
    expect((await failureOf(read())).code).toBe("aborted");
    expect(task.state.kind).toBe("uploading");
    task.abort();
    await failureOf(task);
  });

  test("a listener is told of every change until it leaves", async () => {
    const seen: UploadSnapshot[] = [];
    const task = upload(content, options());
    const leave = task.subscribe((snapshot) => {
      seen.push(snapshot);
      if (snapshot.progress?.confirmed === size) leave();
    });
    await task;
    expect(seen.map(({ state }) => state.kind)).not.toContain("done");
    expect(seen.at(-1)?.progress).toMatchObject({ sent: size, confirmed: size, length: size });
  });

  test("a slow listener is told seldom, and of the end", async () => {
    const [every, seldom]: [string[], string[]] = [[], []];
    const task = upload(content, options({ chunkSize: 100_000 }));
    task.subscribe(({ state }) => every.push(state.kind));
    task.subscribe(({ state }) => seldom.push(state.kind), { everyMs: 600_000 });
    await task;
    expect(every.length).toBeGreaterThan(30);
    expect(seldom).toEqual(["starting", "done"]);
  });

  test("a listener's mistake is reported and does not stop the upload", async () => {
    const reported: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => reported.push(error));
    try {
      const task = upload(content, options());
      const leave = task.subscribe(() => {
        leave();
        throw new Error("a mistake");
      });
      await task;
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    expect(reported).toEqual([new Error("a mistake")]);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("tells a rate and the time that is left while bytes go", async () => {
    let paced: UploadSnapshot | undefined;
    // Parts that take a while each, as on a slow line.
    const slow = () => new Promise<false>((resolve) => setTimeout(resolve, 40, false));
    fake.appendFaults.push(...Array.from({ length: 12 }, () => slow));
    const task = upload(content, options({ chunkSize: 256 * 1024 }));
    task.subscribe((snapshot) => {
      if ((snapshot.progress?.secondsLeft ?? 0) > 0) paced = snapshot;
    });
    await task;
    const { sent = 0, rate = 0, secondsLeft } = paced?.progress ?? {};
    expect(rate).toBeGreaterThan(0);
    expect(secondsLeft).toBeCloseTo((size - sent) / rate);
  });
});
