import { expect, test } from "vitest";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryBlobStore } from "../../../../test/support/memory-blob-store.ts";
import { MemoryBucket } from "../../../../test/support/memory-bucket.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { inOrder, openAppender } from "./extents.ts";

test("a lease is put after what was taken before it, and not after who has taken it over", async () => {
  const clock = new ManualClock();
  const blobs = new MemoryBlobStore({ bucket: new MemoryBucket(), partBytes: 1000, mergeAt: 4 });
  const catalog = new MemoryCatalog();
  const node = (aheadMs: number) =>
    engineOver(catalog, { blobs, clock: new ManualClock(clock.now() + aheadMs) });
  const [ahead, engine, last] = [node(5_000), node(0), node(5_000)];
  const uploads = new EngineUploads();
  uploads.engine = engine;
  const upload = await uploads.create();
  const first = await inOrder(ahead, await ahead.leases.take(upload.id));
  await openAppender(ahead, { lease: first, upload, extents: [] });
  const taken = await engine.leases.take(upload.id);
  const second = await inOrder(engine, taken);
  expect(second.takenAt).toBeGreaterThan(first.takenAt);
  const third = await inOrder(last, await last.leases.take(upload.id));
  await openAppender(last, { lease: third, upload, extents: [] });
  // As where it hung between its take and its look.
  await expect(inOrder(engine, taken)).rejects.toMatchObject({ code: "superseded" });
});
