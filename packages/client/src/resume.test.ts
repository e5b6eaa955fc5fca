import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UploadOptions, UploadWarning } from "./index.ts";
import { FileResumeStore, MemoryResumeStore, upload, UploadQueue } from "./index.ts";
import { answering, cutAfter, FakeGraph } from "./testing/fake-graph.ts";
import { failureOf, optionsFor } from "./testing/upload-case.ts";

const size = 3 * 1024 * 1024 + 17;
const content = randomBytes(size);
let directory: string;
let file: string;
let fake: FakeGraph;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-client-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  fake = await FakeGraph.listen();
  file = join(directory, "film.mp4");
  await writeFile(file, content);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const options = (more: Partial<UploadOptions> = {}) => optionsFor(fake, more);

describe("resuming in a later process", () => {
  let store: FileResumeStore;
  beforeEach(async () => {
    store = new FileResumeStore(await mkdtemp(join(directory, "state-")));
    fake.appendFaults.push(cutAfter(1_500_000), answering(403, {}));
    await failureOf(upload(file, options({ resumeStore: store })));
    fake.requests.length = 0;
  });

  test("goes on where the first process stopped", async () => {
    const result = await upload(file, options({ resumeStore: store }));
    expect(result.resumedFrom).toBe(1_500_000);
    expect(fake.starts).toBe(1);
    expect(fake.kept.equals(content)).toBe(true);
    expect(await store.list()).toEqual([]);
  });

  test("goes on as well with a service that gives no checksum", async () => {
    fake.givesCrc = false;
    const result = await upload(file, options({ resumeStore: store }));
    expect(result.resumedFrom).toBe(1_500_000);
  });

  test("goes on with a service that refuses unknown fields", async () => {
    fake.askFaults.push(answering(400, { error: { message: "nonexisting field", code: 100 } }));
    const result = await upload(file, options({ resumeStore: store }));
    expect(result.resumedFrom).toBe(1_500_000);
  });

  test("starts anew and says so when the server has other bytes", async () => {
    fake.kept = Buffer.alloc(fake.kept.length, 7);
    const warnings: UploadWarning["code"][] = [];
    const onWarning = ({ code }: UploadWarning) => warnings.push(code);
    const result = await upload(file, options({ resumeStore: store, onWarning }));
    expect(result.resumedFrom).toBe(0);
    expect(warnings).toContain("started-anew");
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("starts anew when the file has changed", async () => {
    await writeFile(file, randomBytes(size));
    await upload(file, options({ resumeStore: store }));
    expect(fake.starts).toBe(2);
  });

  test.each([400, 404, 410])("starts anew when the upload is gone (%i)", async (status) => {
    fake.askFaults.push(answering(status, {}), answering(status, {}));
    await upload(file, options({ resumeStore: store }));
    expect(fake.starts).toBe(2);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("keeps what was begun until another upload takes its place", async () => {
    fake.startFaults.push(answering(400, {}));
    const wrong = options({ resumeStore: store, type: "video/quicktime" });
    expect((await failureOf(upload(file, wrong))).code).toBe("refused");
    const result = await upload(file, options({ resumeStore: store }));
    expect(result.resumedFrom).toBe(1_500_000);
    expect(fake.kept.equals(content)).toBe(true);
  });

  // A proxy may answer so, in the place of a server that still has it.
  test.each([400, 404, 405, 414])(
    "keeps what was begun when all is refused (%i)",
    async (status) => {
      const refusal = answering(status, {});
      fake.askFaults.push(refusal, refusal);
      fake.startFaults.push(refusal);
      await failureOf(upload(file, options({ resumeStore: store })));
      expect(fake.starts).toBe(1);
      fake.askFaults.length = 0;
      const result = await upload(file, options({ resumeStore: store }));
      expect(result.resumedFrom).toBe(1_500_000);
    },
  );

  test("starts anew in the next process when what is gone could not be replaced", async () => {
    fake.askFaults.push(answering(404, {}), answering(404, {}));
    fake.startFaults.push(answering(403, {}));
    await failureOf(upload(file, options({ resumeStore: store })));
    await upload(file, options({ resumeStore: store }));
    expect(fake.starts).toBe(2);
    expect(fake.kept.equals(content)).toBe(true);
    expect(await store.list()).toEqual([]);
  });

  test("follows what the process before had still under way", async () => {
    fake.appendFaults.push(() => {
      fake.kept = content.subarray(0, fake.kept.length + 5000);
      return false;
    });
    await upload(file, options({ resumeStore: store, chunkSize: 100_000 }));
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("keeps the handle when told to, and then sends nothing again", async () => {
    const kept = options({ resumeStore: store, keepCompleted: true });
    await upload(file, kept);
    const [entry] = await store.list();
    expect(entry?.entry).toMatchObject({ state: "complete", handle: fake.handle });
    const again = await upload(file, kept);
    expect(again).toMatchObject({ handle: fake.handle, resumedFrom: size });
  });

  test("ignores what is remembered when asked for a fresh upload", async () => {
    const result = await upload(file, options({ resumeStore: store, fresh: true }));
    expect(result.resumedFrom).toBe(0);
    expect(fake.starts).toBe(2);
  });
});

describe("a file that is known by its name and content alone, as in a browser", () => {
  let store: MemoryResumeStore;
  let warnings: UploadWarning[];
  beforeEach(() => {
    store = new MemoryResumeStore();
    warnings = [];
  });

  const fileOf = (first: string, name = "film.mp4") =>
    new File([first, content], name, { lastModified: 1 });
  const remembering = (more: Partial<UploadOptions> = {}) =>
    options({ resumeStore: store, onWarning: (warning) => warnings.push(warning), ...more });
  const toldAnew = () => warnings.filter(({ code }) => code === "started-anew");

  /** Begins an upload that is stopped in the middle. */
  async function leave(file: Blob): Promise<void> {
    fake.appendFaults.push(cutAfter(1_500_000), answering(403, {}));
    await failureOf(upload(file, options({ resumeStore: store })));
  }

  test("starts anew and says so once when another was begun under its name", async () => {
    await leave(fileOf("a"));
    const result = await upload(fileOf("b"), remembering());
    expect(result.resumedFrom).toBe(0);
    expect(toldAnew().map(({ message }) => message)).toEqual([
      "another file or version was begun under this name; starting anew",
    ]);
    // It may well be another file: what was begun of it can still be gone on with.
    expect(await store.list()).toHaveLength(1);
  });

  test("says nothing of files of other names, without a name, or that are complete", async () => {
    await leave(fileOf("a", "film.mp4.part"));
    await leave(new Blob(["a", content]));
    await upload(fileOf("a"), remembering({ keepCompleted: true }));
    await upload(new Blob(["b", content]), remembering());
    await upload(fileOf("b"), remembering());
    expect(toldAnew()).toEqual([]);
  });

  test("says nothing where what is remembered is not to be looked at", async () => {
    await leave(fileOf("a"));
    await upload(fileOf("b"), remembering({ fresh: true }));
    expect(toldAnew()).toEqual([]);
  });

  test("is not given up with another of its name", async () => {
    await leave(fileOf("a"));
    fake.requests.length = 0;
    const queue = new UploadQueue(remembering());
    queue.pauseAll();
    await queue.add(fileOf("b")).cancel();
    expect(fake.requests).toEqual([]);
    expect(await store.list()).toHaveLength(1);
  });
});
