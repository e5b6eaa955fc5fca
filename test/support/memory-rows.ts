import type { AppUpdate } from "../../packages/server/src/catalog/catalog.ts";
import type {
  App,
  Epoch,
  Extent,
  PublishedFile,
  Token,
  Upload,
} from "../../packages/server/src/catalog/records.ts";

/** Where an extent's key stands among the blobs. */
export interface PlacedExtent {
  readonly blobId: string;
  readonly extent: Extent;
}

export interface EpochRow extends Epoch {
  readonly closedAt: number | undefined;
  readonly lookAt: number;
}

export interface AssemblyRow {
  readonly nonce: string | undefined;
  readonly dueAt: number;
  readonly tries: number;
}

/** What a memory catalog has committed: it outlives the process that a catalog stands for. */
export class MemoryRows {
  readonly uploads = new Map<string, Upload>();
  readonly uploadIdOfBlob = new Map<string, string>();
  readonly files = new Map<string, PublishedFile>();
  readonly fileIdOfUpload = new Map<string, string>();
  readonly fileIdOfBlob = new Map<string, string>();
  /** When each key was doomed. */
  readonly doomed = new Map<string, number>();
  readonly apps = new Map<string, App>();
  readonly tokens = new Map<string, Token>();
  readonly marks = new Map<string, string>();
  readonly epochs = new Map<string, EpochRow>();
  readonly assemblies = new Map<string, AssemblyRow>();
  readonly #extents = new Map<string, Extent[]>();
  /** Blobs can share a key. */
  readonly #placesOfKey = new Map<string, PlacedExtent[]>();

  /** A blob's extents in order of their start. */
  extentsOf(blobId: string): readonly Extent[] {
    return this.#extents.get(blobId) ?? [];
  }

  /** As a backup would have them. */
  copy(): MemoryRows {
    const copy = new MemoryRows();
    fill(copy.uploads, this.uploads);
    fill(copy.uploadIdOfBlob, this.uploadIdOfBlob);
    fill(copy.files, this.files);
    fill(copy.fileIdOfUpload, this.fileIdOfUpload);
    fill(copy.fileIdOfBlob, this.fileIdOfBlob);
    fill(copy.doomed, this.doomed);
    fill(copy.apps, this.apps);
    fill(copy.tokens, this.tokens);
    fill(copy.marks, this.marks);
    fill(copy.epochs, this.epochs);
    fill(copy.assemblies, this.assemblies);
    for (const [blobId, extents] of this.#extents) {
      for (const extent of extents) copy.putExtent(blobId, extent);
    }
    return copy;
  }

  extentOfKey(key: string): PlacedExtent | undefined {
    return this.#placesOfKey.get(key)?.at(0);
  }

  knows(key: string): boolean {
    return this.#placesOfKey.has(key) || this.doomed.has(key);
  }

  blobIds(): string[] {
    return [...this.#extents.keys()].sort();
  }

  /** Adds an extent, or replaces the blob's extent of the same start. */
  putExtent(blobId: string, added: Extent): void {
    const { inline } = added;
    const extent = inline === undefined ? added : { ...added, inline: new Uint8Array(inline) };
    const extents = this.#extents.get(blobId) ?? [];
    const index = extents.findIndex(({ start }) => start >= extent.start);
    const found = index === -1 ? undefined : extents[index];
    if (found === undefined) {
      extents.push(extent);
    } else if (found.start === extent.start) {
      this.#forgetPlace(found.key, blobId);
      extents[index] = extent;
    } else {
      extents.splice(index, 0, extent);
    }
    this.#extents.set(blobId, extents);
    if (extent.key === "") return;
    const others = this.#placesOfKey.get(extent.key) ?? [];
    this.#placesOfKey.set(extent.key, [...others, { blobId, extent }]);
  }

  /** One place of it: a blob can hold the same key twice. */
  #forgetPlace(key: string, blobId: string): void {
    const places = this.#placesOfKey.get(key) ?? [];
    const left = places.toSpliced(
      places.findIndex((place) => place.blobId === blobId),
      1,
    );
    if (left.length === 0) this.#placesOfKey.delete(key);
    else this.#placesOfKey.set(key, left);
  }

  /** Forgets extents whose bytes another one holds by now; their keys are doomed. */
  replace(blobId: string, replaced: readonly Extent[], at: number): void {
    const starts = new Set(replaced.map(({ start }) => start));
    const kept = this.extentsOf(blobId).filter(({ start }) => !starts.has(start));
    this.#extents.set(blobId, kept);
    for (const { key } of replaced) {
      if (key === "") continue;
      this.doomed.set(key, at);
      this.#forgetPlace(key, blobId);
    }
  }

  /** Dooms a blob's keys and forgets its extents, unless a file still shows it. */
  doomBlob(blobId: string, at: number): void {
    if (this.fileIdOfBlob.has(blobId)) return;
    for (const { key } of this.extentsOf(blobId)) {
      if (key === "") continue;
      this.doomed.set(key, at);
      this.#forgetPlace(key, blobId);
    }
    this.#extents.delete(blobId);
  }
}

function fill<Key, Value>(into: Map<Key, Value>, from: ReadonlyMap<Key, Value>): void {
  for (const [key, value] of from) into.set(key, value);
}

export function updatedApp(app: App, update: AppUpdate): App {
  const { roomBytesMax, ...given } = update;
  const cap = roomBytesMax === undefined ? app.roomBytesMax : (roomBytesMax ?? undefined);
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...app, ...(Object.fromEntries(changes) as Partial<App>), roomBytesMax: cap };
}
