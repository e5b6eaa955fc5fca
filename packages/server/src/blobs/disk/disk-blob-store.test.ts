import { expect, test } from "vitest";
import { calmVolume } from "../../../../../test/fault/simulation/calm-volume.ts";
import type { SimulatedVolume } from "../../../../../test/fault/simulation/simulated-volume.ts";
import { InjectedError } from "../../../../../test/fault/simulation/weather.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { systemRandom } from "../../base/random.ts";
import type { BlobEpoch, Checkpoint } from "../blob-store.ts";
import { DiskBlobStore } from "./disk-blob-store.ts";
import type { Volume, VolumeFile } from "./volume.ts";

const epoch: BlobEpoch = { fence: "f", blobId: "b", base: 0, openedAt: 0 };

interface Failing {
  readonly volume?: Partial<Volume>;
  readonly file?: (file: VolumeFile) => Partial<VolumeFile>;
  readonly cleanFilesMax?: number;
}

/** A store over a simulated volume some of whose operations fail. */
function openFailing(failing: Failing): {
  store: DiskBlobStore;
  volume: SimulatedVolume;
  strays: string[];
  failures: Error[];
  lines: object[];
} {
  const strays: string[] = [];
  const failures: Error[] = [];
  const lines: object[] = [];
  const volume = calmVolume({ strays: (meant) => strays.push(meant) });
  const changed = (file: VolumeFile): VolumeFile => ({ ...file, ...failing.file?.(file) });
  const store = new DiskBlobStore({
    volume: {
      create: async (key) => changed(await volume.create(key)),
      open: async (key, mode) => changed(await volume.open(key, mode)),
      syncDirectory: (key) => volume.syncDirectory(key),
      remove: (key) => volume.remove(key),
      list: () => volume.list(),
      quarantine: (key) => volume.quarantine(key),
      room: () => volume.room(),
      ...failing.volume,
    },
    clock: systemClock,
    random: systemRandom,
    log: { ...silentLog, info: (facts) => lines.push(facts) },
    cleanFilesMax: failing.cleanFilesMax ?? 1,
    onVolumeFailure: (error) => failures.push(error),
  });
  return { store, volume, strays, failures, lines };
}

/** A blob of four bytes, as it is committed. */
async function keep(store: DiskBlobStore): Promise<Checkpoint> {
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("kept")]);
  const checkpoint = await appender.checkpoint("everything");
  await appender.close();
  return checkpoint;
}

/** Leaves what a process that was killed leaves. */
function lengthen(volume: SimulatedVolume): void {
  for (const key of volume.keys()) volume.fileOf(key)?.write(Buffer.from(" and lost"), 4);
}

/** An operation that fails the first time. */
function failingOnce<Values extends unknown[], Result>(
  code: string,
  operation: (...values: Values) => Promise<Result>,
): (...values: Values) => Promise<Result> {
  let hasFailed = false;
  return (...values) => {
    if (hasFailed) return operation(...values);
    hasFailed = true;
    return Promise.reject(new InjectedError(code));
  };
}

test("a file is not closed under its sync when the sync of its name fails first", async () => {
  const synced = Promise.withResolvers<undefined>();
  const { store, volume, strays } = openFailing({
    volume: { syncDirectory: () => Promise.reject(new InjectedError("ENOSPC")) },
    file: (file) => ({
      sync: async () => {
        await systemClock.sleep(20);
        await file.sync().finally(() => {
          synced.resolve(undefined);
        });
      },
    }),
  });
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("bytes")]);
  await expect(appender.checkpoint("everything")).rejects.toMatchObject({ code: "no_room" });
  await appender.close();
  await synced.promise;
  expect(strays).toEqual([]);
  expect(volume.openKeys).toEqual([]);
});

test("a file whose tail cannot be cut off is not left open", async () => {
  const { store, volume, failures } = openFailing({
    file: () => ({ truncate: () => Promise.reject(new InjectedError("EIO")) }),
  });
  const { to, extents } = await keep(store);
  lengthen(volume);
  const again = store.openAppender({ epoch, extents, offset: to });
  await expect(again).rejects.toMatchObject({ code: "storage_failed" });
  expect(volume.openKeys).toEqual([]);
  expect(failures).toHaveLength(1);
});

test("a volume that has no room for another file says so as for a write", async () => {
  const { store } = openFailing({
    volume: { create: () => Promise.reject(new InjectedError("ENOSPC")) },
  });
  const opening = store.openAppender({ epoch, extents: [], offset: 0 });
  await expect(opening).rejects.toMatchObject({ code: "no_room" });
});

test("a file whose first sync had no room is gone when its appender closes", async () => {
  const { store, volume, failures } = openFailing({
    file: () => ({ sync: () => Promise.reject(new InjectedError("ENOSPC")) }),
  });
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("bytes")]);
  await expect(appender.checkpoint("everything")).rejects.toMatchObject({ code: "no_room" });
  await appender.close();
  expect(volume.keys()).toEqual([]);
  expect(failures).toEqual([]);
});

test("after a sync that had no room a file keeps only what a checkpoint told of", async () => {
  let isFull = false;
  const { store, volume } = openFailing({
    file: (file) => ({
      sync: () => (isFull ? Promise.reject(new InjectedError("ENOSPC")) : file.sync()),
    }),
  });
  const { to, extents } = await keep(store);
  isFull = true;
  const appender = await store.openAppender({ epoch, extents, offset: to });
  await appender.write([Buffer.from(" and lost")]);
  await expect(appender.checkpoint("everything")).rejects.toMatchObject({ code: "no_room" });
  await appender.close();
  expect(volume.keys().map((key) => volume.fileOf(key)?.length)).toEqual([to]);
  isFull = false;
  const next = await store.openAppender({ epoch, extents, offset: to });
  await next.write([Buffer.from(" and on")]);
  const added = await next.checkpoint("everything");
  await next.close();
  // The file itself is never gone on with.
  expect(added.extents.map(({ key, start }) => [key === extents[0]?.key, start])).toEqual([
    [false, to],
  ]);
});

test("on a volume that failed nothing is removed or cut off", async () => {
  const { store, volume, failures } = openFailing({
    file: () => ({ sync: () => Promise.reject(new InjectedError("EIO")) }),
  });
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("bytes")]);
  await expect(appender.checkpoint("everything")).rejects.toMatchObject({ code: "storage_failed" });
  await appender.close();
  expect(failures).toHaveLength(1);
  expect(volume.keys()).toHaveLength(1);
});

test.for(["EIO", "EROFS"])(
  "a volume on which no file can be made (%s) has failed",
  async (code) => {
    const { store, failures } = openFailing({
      volume: { create: () => Promise.reject(new InjectedError(code)) },
    });
    for (let time = 0; time < 2; time += 1) {
      const opening = store.openAppender({ epoch, extents: [], offset: 0 });
      await expect(opening).rejects.toMatchObject({ code: "storage_failed" });
    }
    expect(failures).toHaveLength(1);
  },
);

test.for(["EMFILE", "ENFILE"])(
  "too many open files (%s) fail one append and no other",
  async (code) => {
    const behind = calmVolume();
    const { store, failures } = openFailing({
      volume: { create: failingOnce(code, (key) => behind.create(key)) },
    });
    const opening = store.openAppender({ epoch, extents: [], offset: 0 });
    await expect(opening).rejects.toMatchObject({ code: "storage_failed" });
    expect(failures).toEqual([]);
    const { to } = await keep(store);
    expect(to).toBe(4);
  },
);

test("a file that cannot be opened fails its own appends and no other's", async () => {
  const { store, failures } = openFailing({
    volume: { open: () => Promise.reject(new InjectedError("EIO")) },
  });
  const { to, extents } = await keep(store);
  const opening = store.openAppender({ epoch, extents, offset: to });
  await expect(opening).rejects.toMatchObject({ code: "storage_failed" });
  expect(failures).toEqual([]);
  expect((await keep(store)).to).toBe(4);
});

test("a volume that is read-only to a file that is there has failed", async () => {
  const { store, failures } = openFailing({
    volume: { open: () => Promise.reject(new InjectedError("EROFS")) },
  });
  const { to, extents } = await keep(store);
  const opening = store.openAppender({ epoch, extents, offset: to });
  await expect(opening).rejects.toMatchObject({ code: "storage_failed" });
  expect(failures).toHaveLength(1);
});

test("a file whose descriptor cannot be closed between two writes says so in the store's words", async () => {
  const { store } = openFailing({
    file: (file) => ({
      close: async () => {
        await file.close();
        throw new InjectedError("EIO");
      },
    }),
    cleanFilesMax: 0,
  });
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("bytes")]);
  await appender.checkpoint("everything");
  const more = appender.write([Buffer.from("more")]);
  await expect(more).rejects.toMatchObject({ code: "storage_failed" });
  await appender.close();
});

test("a file that cannot be opened again between two writes is gone on with by the next append", async () => {
  const behind = calmVolume();
  const { store, failures } = openFailing({
    volume: {
      create: (key) => behind.create(key),
      open: failingOnce("EMFILE", (key, mode) => behind.open(key, mode)),
    },
    cleanFilesMax: 0,
  });
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("kept")]);
  const { to, extents } = await appender.checkpoint("everything");
  const more = appender.write([Buffer.from(" on")]);
  await expect(more).rejects.toMatchObject({ code: "storage_failed" });
  await appender.close();
  const next = await store.openAppender({ epoch, extents, offset: to });
  await next.write([Buffer.from(" on")]);
  const added = await next.checkpoint("everything");
  await next.close();
  expect(added.extents.map(({ key }) => key)).toEqual(extents.map(({ key }) => key));
  expect(failures).toEqual([]);
});

test("how many bytes were cut off beyond the committed offset is told", async () => {
  const { store, volume, lines } = openFailing({});
  const { to, extents } = await keep(store);
  lengthen(volume);
  await (await store.openAppender({ epoch, extents, offset: to })).close();
  expect(lines).toEqual([{ key: extents[0]?.key, bytes: 9 }]);
});

test("a file that cannot be removed keeps no other, and is named", async () => {
  const removed: string[] = [];
  const remove = (key: string): Promise<void> => {
    if (key === "aa/bad") return Promise.reject(new Error("EPERM"));
    removed.push(key);
    return Promise.resolve();
  };
  const { store } = openFailing({ volume: { remove } });
  const removing = store.remove(["aa/first", "aa/bad", "aa/last"]);
  await expect(removing).rejects.toMatchObject({ name: "KeysLeftError", keys: ["aa/bad"] });
  expect(removed).toEqual(["aa/first", "aa/last"]);
});
