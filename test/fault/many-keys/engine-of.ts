import { silentLog } from "../../../packages/server/src/base/log.ts";
import type { Random } from "../../../packages/server/src/base/random.ts";
import type { BlobStore } from "../../../packages/server/src/blobs/blob-store.ts";
import type { Catalog } from "../../../packages/server/src/catalog/catalog.ts";
import { Activity } from "../../../packages/server/src/engine/activity.ts";
import { Leases } from "../../../packages/server/src/engine/lease.ts";
import type { EngineParts } from "../../../packages/server/src/engine/parts.ts";
import { unguardedRemoval } from "../../../packages/server/src/engine/removal-guard.ts";
import { Room } from "../../../packages/server/src/engine/room.ts";
import type { ManualClock } from "../../support/manual-clock.ts";

export interface EngineOptions extends Partial<EngineParts> {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly clock: ManualClock;
  readonly random: Random;
}

/** An engine over a store of many keys. */
export function engineOf(options: EngineOptions): EngineParts {
  return {
    leases: new Leases(options),
    room: new Room({ ...options, marks: { softBytes: 0, hardBytes: 0 } }),
    activity: new Activity(options.clock),
    log: silentLog,
    handleLifetimeMs: 4 * 24 * 60 * 60_000,
    secretOf: () => Promise.resolve("secret"),
    removalGuard: unguardedRemoval,
    assembly: "on-publish",
    redirectDownloads: false,
    ...options,
  };
}
