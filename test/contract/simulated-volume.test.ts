import { expect } from "vitest";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { silentLog } from "../../packages/server/src/base/log.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { DiskBlobStore } from "../../packages/server/src/blobs/disk/disk-blob-store.ts";
import { calmVolume } from "../fault/simulation/calm-volume.ts";
import { calm } from "../fault/simulation/weather.ts";
import { describeBlobStore, type OpenedBlobStore } from "./blob-store-contract.ts";

function openOverSimulatedVolume(): OpenedBlobStore {
  const strays: string[] = [];
  const failures: Error[] = [];
  const volume = calmVolume({
    weather: { ...calm, shortWrites: true, kindNames: false },
    strays: (meant, met) => strays.push(`${meant} met ${met}`),
  });
  const openStore = (): DiskBlobStore =>
    new DiskBlobStore({
      log: silentLog,
      cleanFilesMax: 1,
      volume,
      clock: systemClock,
      random: systemRandom,
      onVolumeFailure: (error) => failures.push(error),
    });
  const sizeOf = (key: string): number => volume.fileOf(key)?.length ?? 0;
  return {
    store: openStore(),
    reopen: () => {
      volume.endProcess();
      return Promise.resolve(openStore());
    },
    keysOnVolume: () => Promise.resolve(volume.keys()),
    setLength: (key, length) => {
      const grown = length - sizeOf(key);
      if (grown > 0) volume.fileOf(key)?.write(Buffer.alloc(grown, 0xee), sizeOf(key));
      else volume.fileOf(key)?.truncate(length);
      return Promise.resolve();
    },
    lengthOf: (key) => Promise.resolve(sizeOf(key)),
    dispose: () => {
      expect(volume.openKeys).toEqual([]);
      expect(strays).toEqual([]);
      expect(failures).toEqual([]);
      return Promise.resolve();
    },
  };
}

describeBlobStore("the disk blob store on a simulated volume", () =>
  Promise.resolve(openOverSimulatedVolume()),
);
