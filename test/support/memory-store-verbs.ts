import type {
  AssemblyClaim,
  AssemblyFinish,
  CommitOutcome,
  EpochLook,
} from "../../packages/server/src/catalog/catalog.ts";
import type { Assembly, Epoch } from "../../packages/server/src/catalog/records.ts";
import type { EpochRow, MemoryRows } from "./memory-rows.ts";

/** The memory catalog's verbs about doomed keys, epochs and assemblies. */
export abstract class MemoryStoreVerbs {
  readonly rows: MemoryRows;

  constructor(rows: MemoryRows) {
    this.rows = rows;
  }

  /** Whether this fence is the upload's current one. */
  protected abstract holds(id: string, fence: string): boolean;

  listDoomed(before: number, limit: number): Promise<string[]> {
    const due = [...this.rows.doomed].filter(
      ([key, at]) => at <= before && this.rows.extentOfKey(key) === undefined,
    );
    due.sort(([, one], [, other]) => one - other);
    return Promise.resolve(due.slice(0, limit).map(([key]) => key));
  }

  forgetDoomed(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.rows.doomed.delete(key);
    return Promise.resolve();
  }

  putOffDoomed(keys: readonly string[], at: number): Promise<void> {
    const { doomed } = this.rows;
    for (const key of keys) if (doomed.has(key)) doomed.set(key, at);
    return Promise.resolve();
  }

  knownKeys(keys: readonly string[]): Promise<Set<string>> {
    return Promise.resolve(new Set(keys.filter((key) => this.rows.knows(key))));
  }

  openEpoch(epoch: Epoch): Promise<void> {
    const { epochs } = this.rows;
    if (!epochs.has(epoch.fence)) {
      epochs.set(epoch.fence, { ...epoch, closedAt: undefined, lookAt: 0 });
    }
    return Promise.resolve();
  }

  closeEpoch(fence: string, at: number): Promise<void> {
    const epoch = this.rows.epochs.get(fence);
    if (epoch !== undefined && epoch.closedAt === undefined) {
      this.rows.epochs.set(fence, { ...epoch, closedAt: at, lookAt: at });
    }
    return Promise.resolve();
  }

  async listEpochsDue({ now, closedBefore, limit }: EpochLook): Promise<Epoch[]> {
    for (const { fence, blobId, uploadId } of this.rows.epochs.values()) {
      const isCurrent =
        uploadId === undefined
          ? this.rows.assemblies.get(blobId)?.nonce === fence
          : this.holds(uploadId, fence);
      if (!isCurrent) await this.closeEpoch(fence, now);
    }
    return [...this.rows.epochs.values()]
      .filter(({ closedAt, lookAt }) => (closedAt ?? Infinity) <= closedBefore && lookAt <= now)
      .sort((one, other) => (one.closedAt ?? 0) - (other.closedAt ?? 0))
      .slice(0, limit)
      .map(epochOf);
  }

  noteEpochLook(fence: string, nextAt: number | undefined): Promise<void> {
    const epoch = this.rows.epochs.get(fence);
    if (nextAt === undefined) this.rows.epochs.delete(fence);
    else if (epoch !== undefined && epoch.lookAt !== nextAt) {
      this.rows.epochs.set(fence, { ...epoch, lookAt: nextAt, looks: epoch.looks + 1 });
    }
    return Promise.resolve();
  }

  putOffEpochLook(fence: string, dueAt: number): Promise<void> {
    const epoch = this.rows.epochs.get(fence);
    if (epoch !== undefined) this.rows.epochs.set(fence, { ...epoch, lookAt: dueAt });
    return Promise.resolve();
  }

  listEpochs(blobId: string): Promise<Epoch[]> {
    const epochs = [...this.rows.epochs.values()].filter((epoch) => epoch.blobId === blobId);
    epochs.sort((one, other) => one.base - other.base || one.openedAt - other.openedAt);
    return Promise.resolve(epochs.map(epochOf));
  }

  requestAssembly(blobId: string, at: number): Promise<void> {
    const { assemblies } = this.rows;
    if (!assemblies.has(blobId)) {
      assemblies.set(blobId, { nonce: undefined, dueAt: at, tries: 0 });
    }
    return Promise.resolve();
  }

  claimAssembly({ now, until, nonce, blobId: only }: AssemblyClaim): Promise<Assembly | undefined> {
    const claimable = [...this.rows.assemblies].filter(([id, { dueAt }]) =>
      only === undefined ? dueAt <= now : id === only,
    );
    const [first] = claimable.sort(([, one], [, other]) => one.dueAt - other.dueAt);
    if (first === undefined) return Promise.resolve(undefined);
    const [blobId, { tries: before }] = first;
    const tries = before + 1;
    this.rows.assemblies.set(blobId, { nonce, dueAt: until, tries });
    return Promise.resolve({ blobId, nonce, tries });
  }

  finishAssembly(finish: AssemblyFinish): Promise<CommitOutcome> {
    const { blobId, nonce, extents, assembled, at } = finish;
    const known = this.rows.extentsOf(blobId).map(({ key }) => key);
    const isSame =
      known.length === extents.length && extents.every(({ key }, index) => known[index] === key);
    if (this.rows.assemblies.get(blobId)?.nonce !== nonce || !isSame) {
      return Promise.resolve("stale");
    }
    this.rows.assemblies.delete(blobId);
    this.rows.replace(blobId, extents, at);
    this.rows.putExtent(blobId, assembled);
    return Promise.resolve("done");
  }

  putOffAssembly(blobId: string, nonce: string, dueAt: number | undefined): Promise<void> {
    const assembly = this.rows.assemblies.get(blobId);
    if (assembly?.nonce !== nonce) return Promise.resolve();
    if (dueAt === undefined) this.rows.assemblies.delete(blobId);
    else this.rows.assemblies.set(blobId, { ...assembly, nonce: undefined, dueAt });
    return Promise.resolve();
  }
}

function epochOf(row: EpochRow): Epoch {
  const { fence, blobId, uploadId, base, openedAt, looks } = row;
  return { fence, blobId, uploadId, base, openedAt, looks };
}
