import { expect } from "vitest";
import type { EngineParts } from "../../../packages/server/src/engine/parts.ts";
import { assembleNext, requestAssembly } from "../../../packages/server/src/engine/assemble.ts";
import { settledUpload } from "../../../packages/server/src/engine/look-up.ts";
import { readBlob } from "../../../packages/server/src/engine/read.ts";
import {
  CatalogGuard,
  type RemovalGuard,
} from "../../../packages/server/src/engine/removal-guard.ts";
import { repair, type RepairReport } from "../../../packages/server/src/engine/repair.ts";
import { sweep } from "../../../packages/server/src/engine/sweep.ts";
import type { BlobStore } from "../../../packages/server/src/blobs/blob-store.ts";
import type { Upload } from "../../../packages/server/src/catalog/records.ts";
import { makeApp, makeFile, makeUpload } from "../../contract/catalog-samples.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryBlobStore } from "../../support/memory-blob-store.ts";
import { MemoryBucket, type PutFate } from "../../support/memory-bucket.ts";
import { MemoryCatalog } from "../../support/memory-catalog.ts";
import { MemoryRows } from "../../support/memory-rows.ts";
import { Chance } from "../simulation/chance.ts";
import { engineOf } from "./engine-of.ts";
import { Writer } from "./writer.ts";

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/** Within which a put lands that was given up, and a stopped writer goes on or dies. */
const stragglingMs = 20 * hourMs;

/** Contracts changed to plant a fault; nothing is changed in a run that must hold. */
export interface PlantedInKeys {
  readonly catalog?: (rows: MemoryRows) => MemoryCatalog;
  readonly blobs?: (store: BlobStore) => BlobStore;
  readonly guard?: RemovalGuard;
}

/** Uploads to a store of many keys, and what their senders were told. */
export class ManyKeys {
  readonly clock = new ManualClock();
  readonly bucket = new MemoryBucket();
  readonly counts = {
    commits: 0,
    stale: 0,
    orphans: 0,
    late: 0,
    restores: 0,
    adopted: 0,
    joined: 0,
  };
  readonly #chance: Chance;
  readonly #planted: PlantedInKeys;
  readonly #blobs: BlobStore;
  readonly #guard: CatalogGuard;
  #catalog: MemoryCatalog;
  #engine: EngineParts;
  #writers: Writer[] = [];
  readonly #uploads: Upload[] = [];
  /** What was acknowledged, by upload; gone when it was given up. */
  readonly #told = new Map<string, Buffer>();
  readonly #backups: MemoryRows[] = [];
  readonly #unexplained = new Set<string>();
  #sweepsInStore: number | undefined;
  #straggling = 0;

  constructor(seed: number, planted: PlantedInKeys = {}) {
    this.#chance = new Chance(seed);
    this.#planted = planted;
    const { bucket } = this;
    const store = new MemoryBlobStore({ bucket, partBytes: 64, mergeAt: 4 });
    this.#blobs = planted.blobs?.(store) ?? store;
    this.#catalog = this.#open(new MemoryRows());
    this.#guard = this.#guardOf();
    this.#engine = this.#engineNow();
  }

  async create(length: number | undefined, more: Partial<Upload> = {}): Promise<void> {
    const createdAt = this.clock.now();
    const upload = makeUpload({
      ...{ id: this.#chance.uuid(), blobId: this.#chance.uuid(), length, createdAt },
      // Nothing expires here: what is told stays true.
      ...{ lifetimeMs: 10_000 * dayMs, handleLifetimeMs: 10_000 * dayMs },
      ...{ updatedAt: createdAt, expiresAt: createdAt + 10_000 * dayMs, contentPolicy: "off" },
      ...more,
    });
    await this.#catalog.insertApp(makeApp({ id: upload.appId }));
    await this.#catalog.insertUpload(upload);
    this.#uploads.push(upload);
    this.#told.set(upload.id, Buffer.alloc(0));
  }

  /** Of uploads that need not be finished yet, of each as often as it is named. */
  async join(of: readonly number[]): Promise<void> {
    const concatenates = of.map((which) => this.#pick(this.#uploads, which).id);
    await this.create(undefined, { completes: "when_told", concatenates });
  }

  /** Whoever asks for an upload that waits for others completes it. */
  async look(which: number): Promise<void> {
    const { id } = this.#pick(this.#uploads, which);
    const told = this.#told.get(id);
    const upload = await settledUpload(this.#engine, id);
    if (told === undefined || upload?.concatenates === undefined) return;
    if (this.#isGivenUp(upload, told) || upload.state !== "complete" || told.length > 0) return;
    this.counts.joined += 1;
    this.#told.set(id, await this.#read(upload, upload.offset));
  }

  async take(which: number): Promise<void> {
    const { id } = this.#pick(this.#uploads, which);
    this.clock.pass(1);
    const fence = this.#chance.bytes(16).toString("hex");
    const upload = await this.#catalog.takeLease(id, fence);
    if (upload?.state !== "open" || upload.concatenates !== undefined) return;
    const extents = await this.#catalog.listExtents(upload.blobId);
    const [seed, takenAt] = [this.#chance.integer(0, 1e9), this.clock.now()];
    const parts = { catalog: this.#catalog, blobs: this.#blobs, fence, upload, extents };
    this.#writers.push(new Writer({ ...parts, seed, takenAt }));
  }

  /** Also by one whose upload was taken over meanwhile. */
  async write(which: number, length: number, fate: PutFate): Promise<void> {
    const writer = this.#writers.at(-1 - (which % (this.#writers.length || 1)));
    if (writer === undefined || writer.hasUncommitted) return;
    this.bucket.fateOf = () => fate;
    try {
      await writer.write(length);
    } catch {
      // Its put failed, or what it goes on from is gone: it is over.
      this.#drop(writer);
    }
    this.bucket.fateOf = () => "lands";
  }

  async commit(which: number): Promise<void> {
    const writer = this.#writers.at(-1 - (which % (this.#writers.length || 1)));
    if (writer?.hasUncommitted !== true) return;
    const run = await writer.commit();
    if (run === undefined) {
      this.counts.stale += 1;
      this.#drop(writer);
      return;
    }
    const { id } = writer.upload;
    this.counts.commits += 1;
    const before = this.#told.get(id);
    // It was given up, and a backup brought it back.
    if (before === undefined) return;
    expect(run.from, "an offset below what was told").toBe(before.length);
    this.#told.set(id, Buffer.concat([before, writer.bytes(run.from, run.to)]));
  }

  async cancel(which: number): Promise<void> {
    const { id, blobId } = this.#pick(this.#uploads, which);
    const fence = this.#chance.bytes(16).toString("hex");
    await this.#catalog.takeLease(id, fence);
    const ending = { id, blobId, fence, state: "cancelled", reason: undefined } as const;
    const outcome = await this.#catalog.end({ ...ending, at: this.clock.now() });
    if (outcome === "done") this.#told.delete(id);
  }

  async publish(which: number): Promise<void> {
    const upload = await this.#catalog.findUpload(this.#pick(this.#uploads, which).id);
    if (upload?.state !== "complete") return;
    const { offset: size, crc32, id, blobId } = upload;
    await requestAssembly(this.#engine, blobId);
    await this.#catalog.insertFile(makeFile(upload, { id, size, crc32 }));
  }

  async remove(which: number): Promise<void> {
    const { id } = this.#pick(this.#uploads, which);
    if (await this.#catalog.removeFile(id, this.clock.now())) this.#told.delete(id);
  }

  async assemble(fate: PutFate): Promise<void> {
    this.bucket.fateOf = () => fate;
    await assembleNext(this.#engine, new AbortController().signal);
    this.bucket.fateOf = () => "lands";
  }

  async sweep(): Promise<void> {
    const { removedOrphans } = await sweep(this.#engine, { dryRun: false });
    this.counts.orphans += removedOrphans;
  }

  pass(ms: number): void {
    this.#straggling += ms;
    if (this.#straggling > stragglingMs) {
      this.landLate();
      this.#writers = [];
      this.#straggling = 0;
    }
    this.clock.pass(ms);
  }

  landLate(most = Infinity): void {
    this.counts.late += this.bucket.landLate(most);
  }

  /** The process ends; fences were its memory. */
  crash(): void {
    this.#writers = [];
    this.#start(this.#catalog.rows);
  }

  save(): void {
    this.#backups.push(this.#catalog.rows.copy());
  }

  /** Puts a backup in the place of the catalog, sweeps, repairs, and goes on. */
  async restore(which: number): Promise<void> {
    const backup = this.#backups.at(-1 - (which % (this.#backups.length || 1)));
    if (backup === undefined) return;
    this.#writers = [];
    this.#start(backup.copy());
    this.landLate();
    this.counts.restores += 1;
    // Where no sweep came between, nothing tells that it is a backup but the operator.
    const sweeps = await this.#catalog.readMark("sweeps");
    if (Number(sweeps ?? 0) === (this.#sweepsInStore ?? 0)) await this.#guard.hold("a backup");
    const keys = this.bucket.keys();
    this.clock.pass(9 * dayMs);
    await this.sweep();
    expect(this.bucket.keys(), "swept on a backup's word").toEqual(keys);
    const report = await this.#repair();
    this.counts.adopted += report.adopted.length;
    for (const key of report.unexplained) this.#unexplained.add(key);
    await this.#guard.allow();
    await this.#goOnFromCatalog();
  }

  /** Everything that was told is there. */
  async check(): Promise<void> {
    for (const [id, told] of this.#told) {
      const upload = await this.#catalog.findUpload(id);
      expect(upload?.offset, "the offset").toBe(told.length);
      expect((await this.#read(upload, told.length)).equals(told), "the bytes").toBe(true);
    }
  }

  /** Whatever still goes on comes to its end, and everything is looked at as often as it is due. */
  async settle(): Promise<void> {
    this.crash();
    await this.sweep();
    for (const waitMs of [hourMs, dayMs, 7 * dayMs, hourMs]) {
      this.clock.pass(waitMs + 1);
      await this.sweep();
      this.landLate(waitMs === hourMs ? 1 : Infinity);
    }
    await this.sweep();
    const { rows } = this.#catalog;
    const orphans = this.bucket.keys().filter((key) => rows.extentOfKey(key) === undefined);
    expect(
      orphans.filter((key) => !this.#unexplained.has(key)),
      "orphans",
    ).toEqual([]);
  }

  async #repair(): Promise<RepairReport> {
    const dry = await repair(this.#engine, { dryRun: true });
    const report = await repair(this.#engine, { dryRun: false });
    expect({ ...report, dryRun: true }, "what a dry run said").toEqual(dry);
    const again = await repair(this.#engine, { dryRun: false });
    expect(again.adopted, "adopted a second time").toEqual([]);
    return report;
  }

  async #goOnFromCatalog(): Promise<void> {
    for (const { id } of this.#uploads) {
      const upload = await settledUpload(this.#engine, id);
      const told = this.#told.get(id);
      if (told === undefined || upload === undefined) continue;
      if (this.#isGivenUp(upload, told)) continue;
      expect(upload.offset, "the offset after the repair").toBeGreaterThanOrEqual(told.length);
      const bytes = await this.#read(upload, upload.offset);
      expect(bytes.subarray(0, told.length).equals(told), "the bytes after the repair").toBe(true);
      this.#told.set(id, bytes);
    }
  }

  /** One that waited for another that was cancelled: nothing was told of it. */
  #isGivenUp({ id, state }: Upload, told: Buffer): boolean {
    return state === "cancelled" && told.length === 0 && this.#told.delete(id);
  }

  async #read(upload: Upload | undefined, to: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    const blobId = upload?.blobId ?? "";
    for await (const piece of readBlob(this.#engine, blobId, { from: 0, to })) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  #start(rows: MemoryRows): void {
    this.#catalog = this.#open(rows);
    this.#engine = this.#engineNow();
  }

  #open(rows: MemoryRows): MemoryCatalog {
    return this.#planted.catalog?.(rows) ?? new MemoryCatalog(rows);
  }

  #guardOf(): CatalogGuard {
    return new CatalogGuard({
      catalog: {
        readMark: (name) => this.#catalog.readMark(name),
        writeMark: (name, value) => this.#catalog.writeMark(name, value),
        raiseMark: (name, count) => this.#catalog.raiseMark(name, count),
        claimMark: (name, value) => this.#catalog.claimMark(name, value),
      },
      counter: {
        read: () => Promise.resolve(this.#sweepsInStore),
        write: (count) => {
          this.#sweepsInStore = count;
          return Promise.resolve();
        },
      },
      identity: () => Promise.resolve("one"),
    });
  }

  #engineNow(): EngineParts {
    const [catalog, blobs, clock, random] = [this.#catalog, this.#blobs, this.clock, this.#chance];
    const removalGuard = this.#planted.guard ?? this.#guard;
    return engineOf({ catalog, blobs, clock, random, removalGuard });
  }

  #drop(writer: Writer): void {
    this.#writers = this.#writers.filter((other) => other !== writer);
  }

  #pick<Item>(items: readonly Item[], which: number): Item {
    const item = items[which % items.length];
    if (item === undefined) throw new Error("there is none");
    return item;
  }
}
