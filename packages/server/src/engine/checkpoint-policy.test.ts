import { describe, expect, test } from "vitest";
import { calmVolume } from "../../../../test/fault/simulation/calm-volume.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { systemRandom } from "../base/random.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { DiskBlobStore } from "../blobs/disk/disk-blob-store.ts";
import { CheckpointPolicy } from "./checkpoint-policy.ts";

const msMin = limits.checkpointMsMin;
/** Enough not to be a trickle, and too little to be due by itself. */
const some = limits.trickleBytesMax;
/** A sync of which the policy's least time is a small part. */
const slowSyncMs = 3_000;

test("what nobody wrote need not be made durable", () => {
  const policy = new CheckpointPolicy(msMin);
  expect(policy.isDue).toBe(false);
  expect(policy.waitMs(1_000_000)).toBeUndefined();
});

describe("by bytes", () => {
  test("a checkpoint is due with 8 MiB, however many writes bring them", () => {
    const policy = new CheckpointPolicy(msMin);
    policy.written(8 * 1024 * 1024 - 1, 0);
    expect(policy.isDue).toBe(false);
    policy.written(1, 0);
    expect(policy.isDue).toBe(true);
  });

  test("what a checkpoint left waits on, and counts towards the next", () => {
    const policy = new CheckpointPolicy(msMin);
    policy.written(limits.checkpointBytes + 5, 0);
    policy.checkpointed(1, 5, 0);
    expect(policy.isDue).toBe(false);
    policy.written(limits.checkpointBytes - 5, 0);
    expect(policy.isDue).toBe(true);
  });
});

describe("by time", () => {
  test("the first byte's wait counts, not the last one's, and never below zero", () => {
    const policy = new CheckpointPolicy(msMin);
    policy.written(some, 5_000);
    policy.written(some, 5_000 + msMin - 1);
    expect(policy.waitMs(5_000)).toBe(msMin);
    expect(policy.waitMs(5_000 + msMin - 1)).toBe(1);
    expect(policy.waitMs(5_000 + 2 * msMin)).toBe(0);
  });

  test("bytes wait 20 times what the last sync took, so that syncs take a twentieth", () => {
    const policy = new CheckpointPolicy(msMin);
    policy.written(some, 0);
    policy.checkpointed(slowSyncMs, 0, 10_000);
    expect(policy.waitMs(10_000)).toBeUndefined();
    policy.written(some, 11_000);
    expect(policy.waitMs(11_000)).toBe(20 * slowSyncMs);
    policy.checkpointed(2 * slowSyncMs, some, 100_000);
    expect(policy.waitMs(100_000)).toBe(40 * slowSyncMs);
    policy.checkpointed(1, some, 300_000);
    expect(policy.waitMs(300_000), "a fast sync after a slow one").toBe(msMin);
  });

  test("a trickle waits 15 s, and one byte more is none", () => {
    const policy = new CheckpointPolicy(msMin);
    policy.written(limits.trickleBytesMax - 1, 0);
    expect(policy.waitMs(0)).toBe(15_000);
    policy.written(1, 1_000);
    expect(policy.waitMs(0)).toBe(msMin);
  });

  test("a store's own least time holds for all of them", () => {
    const policy = new CheckpointPolicy(60_000);
    policy.written(1, 0);
    expect(policy.waitMs(0)).toBe(60_000);
    policy.written(some, 0);
    expect(policy.waitMs(0)).toBe(60_000);
  });
});

test("a sync of the disk is measured from its begin to its end", async () => {
  const clock = new ManualClock();
  const volume = calmVolume();
  const create = volume.create.bind(volume);
  volume.create = async (key) => {
    const file = await create(key);
    const sync = async (): Promise<void> => {
      clock.pass(slowSyncMs);
      await file.sync();
    };
    return { ...file, sync };
  };
  const outside = { clock, random: systemRandom, log: silentLog };
  const fail = (error: Error): never => {
    throw error;
  };
  const store = new DiskBlobStore({ ...outside, volume, cleanFilesMax: 1, onVolumeFailure: fail });
  const epoch = { fence: "f", blobId: "b", base: 0, openedAt: 0 };
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.alloc(some)]);
  clock.pass(50_000);
  expect((await appender.checkpoint("everything")).syncMs).toBe(slowSyncMs);
  expect((await appender.checkpoint("everything")).syncMs, "nothing to sync").toBe(0);
  await appender.close();
});
