import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { insertHeld, makeAdvance } from "../../../../test/contract/catalog-samples.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { diskStoreOver, engineOver } from "../../../../test/support/memory-engine.ts";
import { silentLog } from "../base/log.ts";
import { NodeVolume } from "../blobs/disk/node-volume.ts";
import type { Upload } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";
import { recover } from "./recover.ts";

let root: string;
let catalog: MemoryCatalog;
let engine: EngineParts;
let told: object[];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "hawser-recover-"));
  const [directory, quarantineDirectory] = [
    path.join(root, "blobs"),
    path.join(root, "quarantine"),
  ];
  const limits = { syncsMax: 2, openFilesMax: 2 };
  const volume = await NodeVolume.open({ directory, quarantineDirectory, ...limits });
  catalog = new MemoryCatalog();
  told = [];
  const log = { ...silentLog, error: (facts: object) => told.push(facts) };
  engine = engineOver(catalog, { blobs: diskStoreOver(volume), log });
  await catalog.writeMark("last-clean-stop", "running:0");
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

/** An open upload of which these bytes are committed, with its file. */
async function insert(bytes: string, length: number): Promise<{ upload: Upload; file: string }> {
  const upload = await insertHeld(catalog, { length });
  const epoch = { fence: "first", blobId: upload.blobId, base: 0, openedAt: 0 };
  const appender = await engine.blobs.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from(bytes)]);
  const { to, extents } = await appender.checkpoint("everything");
  await appender.close();
  const [extent] = extents;
  await catalog.advance(makeAdvance(upload, { to, extents, crc32: extent?.crc32 ?? 0 }));
  await catalog.releaseLease(upload.id, "first");
  return { upload, file: path.join(root, "blobs", extent?.key ?? "") };
}

/** No file of ours is a link: opening one fails, whoever asks. */
async function makeUnreadable(file: string): Promise<void> {
  await rm(file);
  await symlink("nowhere", file);
}

test("an upload whose file cannot be looked at is named, keeps its offset, and holds nothing up", async () => {
  const unreadable = await insert("bytes", 9);
  await makeUnreadable(unreadable.file);
  const missing = await insert("bytes", 9);
  await rm(missing.file);
  const { upload: whole } = await insert("bytes", 9);
  const report = await recover(engine);
  expect(report).toMatchObject({
    checked: 3,
    damaged: [missing.upload.id],
    unreadable: [unreadable.upload.id],
  });
  expect(told).toContainEqual(expect.objectContaining({ upload: unreadable.upload.id }));
  const states = [unreadable.upload, missing.upload, whole].map(async ({ id }) => {
    const { state, offset } = (await catalog.findUpload(id)) ?? {};
    return { state, offset };
  });
  expect(await Promise.all(states)).toEqual([
    { state: "open", offset: 5 },
    { state: "damaged", offset: 5 },
    { state: "open", offset: 5 },
  ]);
});

test("a completion that cannot be made for its file is named, and the others are made", async () => {
  await catalog.writeMark("last-clean-stop", "clean:0");
  const unreadable = await insert("bytes", 5);
  await makeUnreadable(unreadable.file);
  const { upload: whole } = await insert("bytes", 5);
  const report = await recover(engine);
  expect(report).toMatchObject({ completed: 1, unreadable: [unreadable.upload.id] });
  expect(await catalog.findUpload(unreadable.upload.id)).toMatchObject({
    state: "open",
    offset: 5,
  });
  expect(await catalog.findUpload(whole.id)).toMatchObject({ state: "complete" });
  expect(await catalog.readMark("last-clean-stop")).toMatch(/^running:/);
});
