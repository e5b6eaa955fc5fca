import type { EpochLook } from "../../../packages/server/src/catalog/catalog.ts";
import type { Epoch } from "../../../packages/server/src/catalog/records.ts";
import { unguardedRemoval } from "../../../packages/server/src/engine/removal-guard.ts";
import type { BlobKey, BlobStore } from "../../../packages/server/src/blobs/blob-store.ts";
import { MemoryCatalog } from "../../support/memory-catalog.ts";
import { overBlobStore } from "../simulation/composition.ts";
import type { PlantedInKeys } from "./many-keys.ts";

class ForgetfulOfKeys extends MemoryCatalog {
  override knownKeys(): Promise<Set<string>> {
    return Promise.resolve(new Set());
  }
}

class ForgetfulOfDoom extends MemoryCatalog {
  override async listDoomed(before: number, limit: number): Promise<string[]> {
    const doomed = await super.listDoomed(before, limit);
    await this.forgetDoomed(doomed);
    return [];
  }
}

class ClosingTooEarly extends MemoryCatalog {
  override async listEpochsDue(look: EpochLook): Promise<Epoch[]> {
    for (const { fence } of this.rows.epochs.values()) await this.closeEpoch(fence, look.now);
    return await super.listEpochsDue(look);
  }
}

class LookingOnce extends MemoryCatalog {
  override noteEpochLook(fence: string): Promise<void> {
    return super.noteEpochLook(fence, undefined);
  }
}

class WithoutFence extends MemoryCatalog {
  override async advance(advance: Parameters<MemoryCatalog["advance"]>[0]) {
    await this.takeLease(advance.id, advance.fence);
    return await super.advance(advance);
  }
}

/** Keys that do not tell in whose time they were made. */
function withoutBases(store: BlobStore): BlobStore {
  async function* listBlobKeys(blobId: string): AsyncIterable<BlobKey> {
    for await (const key of store.listBlobKeys(blobId)) yield { ...key, base: 0 };
  }
  return overBlobStore(store, { listBlobKeys });
}

function withoutFirst(store: BlobStore): BlobStore {
  async function* listBlobKeys(blobId: string): AsyncIterable<BlobKey> {
    for await (const key of store.listBlobKeys(blobId)) if (key.start > 0) yield key;
  }
  return overBlobStore(store, { listBlobKeys });
}

/** Each must be noticed, or the harness proves nothing. */
export const plantedInKeys: Readonly<Record<string, PlantedInKeys>> = {
  "committed keys taken for orphans": { catalog: (rows) => new ForgetfulOfKeys(rows) },
  "doomed keys forgotten before they are removed": {
    catalog: (rows) => new ForgetfulOfDoom(rows),
  },
  "epochs closed under their writer": { catalog: (rows) => new ClosingTooEarly(rows) },
  "one look and no more": { catalog: (rows) => new LookingOnce(rows) },
  "a commit without the fence": { catalog: (rows) => new WithoutFence(rows) },
  "a backup swept like any catalog": { guard: unguardedRemoval },
  "repair that knows nothing of takes": { blobs: withoutBases },
  "repair that overlooks the first extents": { blobs: withoutFirst },
};
