import { silentLog } from "../../../packages/server/src/base/log.ts";
import type { BlobStore } from "../../../packages/server/src/blobs/blob-store.ts";
import { DiskBlobStore } from "../../../packages/server/src/blobs/disk/disk-blob-store.ts";
import type { Volume } from "../../../packages/server/src/blobs/disk/volume.ts";
import type { Catalog } from "../../../packages/server/src/catalog/catalog.ts";
import { Room } from "../../../packages/server/src/engine/room.ts";
import { Activity } from "../../../packages/server/src/engine/activity.ts";
import { Leases } from "../../../packages/server/src/engine/lease.ts";
import type { AppendRequest } from "../../../packages/server/src/engine/append.ts";
import type { EngineParts } from "../../../packages/server/src/engine/parts.ts";
import { unguardedRemoval } from "../../../packages/server/src/engine/removal-guard.ts";
import { MemoryCatalog } from "../../support/memory-catalog.ts";
import type { MemoryRows } from "../../support/memory-rows.ts";
import type { Chance } from "./chance.ts";
import type { Model } from "./model.ts";
import { SimulatedCatalog } from "./simulated-catalog.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import type { Later } from "./thread-pool.ts";
import type { Weather } from "./weather.ts";

/** Contracts wrapped to plant a fault; nothing is wrapped in a run that must hold. */
export interface Planted {
  readonly volume?: (volume: Volume, parts: { clock: SimulatedTime }) => Volume;
  readonly blobs?: (blobs: BlobStore, volume: Volume) => BlobStore;
  /** Around what commits: what it lets through is watched. */
  readonly catalogInside?: (catalog: Catalog) => Catalog;
  /** Around what the engine is given. */
  readonly catalogOutside?: (catalog: Catalog) => Catalog;
  /** Around what the engine is asked. */
  readonly request?: (request: AppendRequest) => AppendRequest;
  /** Nobody waits for the writer before. */
  readonly impatient?: boolean;
  /** The model looks at what a crash leaves only, and not ahead at every commit. */
  readonly blind?: boolean;
}

export interface CompositionParts {
  readonly rows: MemoryRows;
  readonly volume: Volume;
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly later: Later;
  readonly weather: () => Weather;
  readonly model: Model;
  readonly fenceAlone: boolean;
  readonly planted: Planted;
}

/** One process's fresh objects over what outlives processes: the rows and the volume. */
export class Composition {
  readonly #parts: CompositionParts;
  readonly #catalog: SimulatedCatalog;
  readonly #engine: EngineParts;
  #dying = false;

  constructor(parts: CompositionParts) {
    this.#parts = parts;
    const { planted, time: clock, chance, rows, model, later, weather } = parts;
    const die = (): void => {
      this.#dying = true;
    };
    const memory = new MemoryCatalog(rows);
    const watched = { later, weather, watch: model };
    this.#catalog = new SimulatedCatalog({
      ...watched,
      inner: planted.catalogInside?.(memory) ?? memory,
      chance,
      onFailure: die,
    });
    const volume = planted.volume?.(parts.volume, { clock }) ?? parts.volume;
    const outside = { clock, random: chance };
    const cleanFilesMax = chance.happens(0.5) ? 0 : 100;
    const log = silentLog;
    const ofDisk = { ...outside, volume, log, cleanFilesMax, onVolumeFailure: die };
    const disk = new DiskBlobStore(ofDisk);
    const blobs = parts.fenceAlone ? withFilePerTake(disk) : disk;
    const catalog = planted.catalogOutside?.(this.#catalog.catalog) ?? this.#catalog.catalog;
    // Free room is the volume's to refuse here: what is not written needs no simulation.
    const marks = { softBytes: 0, hardBytes: 0 };
    this.#engine = {
      ...outside,
      catalog,
      room: new Room({ catalog, blobs, clock, marks }),
      blobs: planted.blobs?.(blobs, volume) ?? blobs,
      leases: new Leases({ ...outside, catalog }),
      activity: new Activity(outside.clock),
      log,
      handleLifetimeMs: 4 * 24 * 60 * 60_000,
      secretOf: () => Promise.resolve("secret"),
      removalGuard: unguardedRemoval,
      assembly: "on-publish",
      redirectDownloads: false,
    };
  }

  /** Durability cannot be promised any more: the process is about to end. */
  get dying(): boolean {
    return this.#dying;
  }

  /** What one request works with. */
  engine(): EngineParts {
    const { fenceAlone, planted } = this.#parts;
    if (!fenceAlone && planted.impatient !== true) return this.#engine;
    return { ...this.#engine, leases: new Leases(this.#engine) };
  }

  abandon(): void {
    this.#catalog.abandon();
  }
}

/** No take goes on in the file of the take before. */
function withFilePerTake(store: BlobStore): BlobStore {
  return overBlobStore(store, {
    openAppender: (request) => store.openAppender({ ...request, extents: [] }),
  });
}

/** A blob store with some of its verbs changed. */
export function overBlobStore(store: BlobStore, changes: Partial<BlobStore>): BlobStore {
  return {
    properties: store.properties,
    openAppender: (request) => store.openAppender(request),
    read: (extent, range, signal) => store.read(extent, range, signal),
    isWhole: (extent) => store.isWhole(extent),
    listKeys: (epoch) => store.listKeys(epoch),
    listBlobKeys: (blobId) => store.listBlobKeys(blobId),
    abandon: (epoch) => store.abandon(epoch),
    assemble: store.assemble,
    signUrl: store.signUrl,
    remove: (keys) => store.remove(keys),
    listOlderKeys: () => store.listOlderKeys(),
    quarantine: (key) => store.quarantine(key),
    room: () => store.room(),
    close: () => store.close(),
    ...changes,
  };
}
