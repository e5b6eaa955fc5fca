import { systemClock } from "../../packages/server/src/base/clock.ts";
import { silentLog } from "../../packages/server/src/base/log.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { DiskBlobStore } from "../../packages/server/src/blobs/disk/disk-blob-store.ts";
import type { Volume } from "../../packages/server/src/blobs/disk/volume.ts";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import { Activity } from "../../packages/server/src/engine/activity.ts";
import { Leases } from "../../packages/server/src/engine/lease.ts";
import type { EngineParts } from "../../packages/server/src/engine/parts.ts";
import { unguardedRemoval } from "../../packages/server/src/engine/removal-guard.ts";
import { Room } from "../../packages/server/src/engine/room.ts";
import { calmVolume } from "../fault/simulation/calm-volume.ts";

/** The engine over this catalog and a disk in memory; `changes` replace what it is given. */
export function engineOver(catalog: Catalog, changes: Partial<EngineParts> = {}): EngineParts {
  const outside = { clock: changes.clock ?? systemClock, random: systemRandom };
  const blobs = diskStoreOver(calmVolume());
  return {
    ...outside,
    catalog,
    blobs,
    leases: new Leases({ ...outside, catalog }),
    room: new Room({ ...outside, catalog, blobs, marks: { softBytes: 0, hardBytes: 0 } }),
    activity: new Activity(outside.clock),
    log: silentLog,
    handleLifetimeMs: 60_000,
    secretOf: () => Promise.resolve("secret"),
    removalGuard: unguardedRemoval,
    assembly: "on-publish",
    redirectDownloads: false,
    ...changes,
  };
}

/** A disk store over this volume, which must not fail. */
export function diskStoreOver(volume: Volume): DiskBlobStore {
  return new DiskBlobStore({
    volume,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    cleanFilesMax: 10,
    onVolumeFailure: (error) => {
      throw error;
    },
  });
}
