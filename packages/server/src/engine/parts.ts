import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Activity } from "./activity.ts";
import type { Leases } from "./lease.ts";
import type { RemovalGuard } from "./removal-guard.ts";
import type { Room } from "./room.ts";

/** When a blob of several extents is made one, where the store can do that. */
export type AssemblyPolicy = "on-publish" | "background" | "never";

/** What every verb of the engine works with. */
export interface EngineParts {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly leases: Leases;
  readonly room: Room;
  readonly activity: Activity;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly handleLifetimeMs: number;
  /** An app's secret, which its handles are made and checked with. */
  readonly secretOf: (appId: string) => Promise<string | undefined>;
  readonly removalGuard: RemovalGuard;
  readonly assembly: AssemblyPolicy;
  /** Whether a download may be answered with a URL of the store's own. */
  readonly redirectDownloads: boolean;
}
