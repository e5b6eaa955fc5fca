import type { StandardDialect, StandardUploadOptions, UploadWarning } from "hawser-client";
import { MemoryResumeStore, upload, UploadQueue } from "hawser-client";
import { ietf } from "hawser-client/ietf";
import { tus } from "hawser-client/tus";
import { beforeAll, describe, expect, test } from "vitest";

import { GraphPeer } from "../fault/graph-peer.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ extraArguments: ["--log-level", "warn"] });
  return () => server.remove();
});

const mib = 1024 * 1024;
const content = patternBytes({ seed: 71, length: 4 * mib });

/** The file as it was picked; of the same name and time, whatever its bytes. */
const fileOf = (bytes: Buffer) =>
  new File([new Uint8Array(bytes)], "film.pdf", { lastModified: 1, type: "application/pdf" });

const dialects: readonly StandardDialect[] = [tus, ietf];

describe.each(dialects)("the library in $name", (dialect) => {
  const optionsFor = (more: Partial<StandardUploadOptions> = {}): StandardUploadOptions => ({
    ...{ dialect, url: server.url, token: server.token },
    ...more,
  });

  /** Begins an upload and stops it after some MiB, as a process that ends would. */
  async function begin(resumeStore: MemoryResumeStore, bytes: Buffer): Promise<void> {
    const task = upload(fileOf(bytes), optionsFor({ resumeStore, chunkSize: mib }));
    for await (const { progress } of task.snapshots()) {
      if ((progress?.confirmed ?? 0) >= 2 * mib) break;
    }
    task.abort();
    await expect(task.result).rejects.toMatchObject({ code: "aborted" });
  }

  test("is given the server's handle, of which a file can be made", async () => {
    const result = await upload(fileOf(content), optionsFor());
    expect(result.id).toContain(`${server.url}/uploads/`);
    expect(result.handle).toMatch(/^4:/);
    expect((await new GraphPeer(server).download(result.handle)).equals(content)).toBe(true);
  });

  test("goes on in a later process where an earlier one stopped", async () => {
    const resumeStore = new MemoryResumeStore();
    await begin(resumeStore, content);
    const result = await upload(fileOf(content), optionsFor({ resumeStore }));
    expect(result.resumedFrom).toBeGreaterThanOrEqual(2 * mib);
    expect((await new GraphPeer(server).download(result.handle)).equals(content)).toBe(true);
    expect(await resumeStore.list()).toEqual([]);
  });

  test("starts anew when the server has other bytes than the file's", async () => {
    const resumeStore = new MemoryResumeStore();
    await begin(resumeStore, content);
    const other = Buffer.from(content);
    other.fill(0, 1.5 * mib, 1.75 * mib);
    const warnings: UploadWarning[] = [];
    const onWarning = (warning: UploadWarning) => warnings.push(warning);
    const result = await upload(fileOf(other), optionsFor({ resumeStore, onWarning }));
    expect(result.resumedFrom).toBe(0);
    expect(warnings.map(({ code }) => code)).toContain("started-anew");
    expect((await new GraphPeer(server).download(result.handle)).equals(other)).toBe(true);
  });

  test("is no upload of the other dialect's when it is remembered", async () => {
    const resumeStore = new MemoryResumeStore();
    await begin(resumeStore, content);
    const [another = dialect] = dialects.filter(({ name }) => name !== dialect.name);
    const options = optionsFor({ resumeStore, dialect: another });
    expect(await upload(fileOf(content), options)).toMatchObject({ resumedFrom: 0 });
    expect(await resumeStore.list()).toHaveLength(1);
  });

  test("gives an upload up on the server too", async () => {
    const task = upload(fileOf(content), optionsFor({ chunkSize: mib }));
    for await (const { progress } of task.snapshots()) {
      if ((progress?.confirmed ?? 0) > 0) break;
    }
    const { state } = task;
    await task.cancel();
    const id = state.kind === "uploading" ? state.id : "";
    const headers = { authorization: `Bearer ${server.token}`, "tus-resumable": "1.0.0" };
    expect((await fetch(id, { method: "HEAD", headers })).status).toBe(410);
  });

  test("tells a wrong token as what it is", async () => {
    const task = upload(fileOf(content), optionsFor({ token: "wrong" }));
    await expect(task.result).rejects.toMatchObject({ code: "not-authorised" });
  });

  test("may send nothing at all", async () => {
    const { handle } = await upload(new File([], "empty.pdf"), optionsFor());
    expect(handle).not.toBe("");
  });

  test("sends many files in a queue", async () => {
    const queue = new UploadQueue({ ...optionsFor(), parallel: 3 });
    queue.addAll(Array.from({ length: 6 }, () => fileOf(content.subarray(0, 50_000))));
    expect((await queue.settled()).counts).toMatchObject({ done: 6, failed: 0 });
  });
});
