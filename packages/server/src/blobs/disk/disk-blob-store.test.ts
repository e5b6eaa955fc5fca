import { expect, test } from "vitest";
import { calmVolume } from "../../../../../test/fault/simulation/calm-volume.ts";
import type { SimulatedVolume } from "../../../../../test/fault/simulation/simulated-volume.ts";
import { InjectedError } from "../../../../../test/fault/simulation/weather.ts";
import { systemClock } from "../../base/clock.ts";
import { systemRandom } from "../../base/random.ts";
import type { BlobEpoch } from "../blob-store.ts";
import { DiskBlobStore } from "./disk-blob-store.ts";
import type { Volume, VolumeFile } from "./volume.ts";

const epoch: BlobEpoch = { fence: "f", blobId: "b", base: 0, openedAt: 0 };

interface Failing {
  readonly volume?: Partial<Volume>;
  readonly file?: (file: VolumeFile) => Partial<VolumeFile>;
}

/** A store over a simulated volume some of whose operations fail. */
function openFailing(failing: Failing): {
  store: DiskBlobStore;
  volume: SimulatedVolume;
  strays: string[];
} {
  const strays: string[] = [];
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
    cleanFilesMax: 1,
    onVolumeFailure: () => undefined,
  });
  return { store, volume, strays };
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
  const { store, volume } = openFailing({
    file: () => ({ truncate: () => Promise.reject(new InjectedError("EIO")) }),
  });
  const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
  await appender.write([Buffer.from("kept")]);
  const { to, extents } = await appender.checkpoint("everything");
  await appender.write([Buffer.from(" and lost")]);
  await appender.close();
  const again = store.openAppender({ epoch, extents, offset: to });
  await expect(again).rejects.toMatchObject({ code: "EIO" });
  expect(volume.openKeys).toEqual([]);
});

test("a volume that has no room for another file says so as for a write", async () => {
  const { store } = openFailing({
    volume: { create: () => Promise.reject(new InjectedError("ENOSPC")) },
  });
  const opening = store.openAppender({ epoch, extents: [], offset: 0 });
  await expect(opening).rejects.toMatchObject({ code: "no_room" });
});
