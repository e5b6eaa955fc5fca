import type { BlobStore } from "../../../packages/server/src/blobs/blob-store.ts";
import type { Volume, VolumeFile } from "../../../packages/server/src/blobs/disk/volume.ts";
import { CatalogFullError, type Catalog } from "../../../packages/server/src/catalog/catalog.ts";
import type { Extent, Upload } from "../../../packages/server/src/catalog/records.ts";
import type { AppendRequest } from "../../../packages/server/src/engine/append.ts";
import { digestOf } from "./attempt.ts";
import { overBlobStore, type Planted } from "./composition.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import { InjectedError } from "./weather.ts";

export interface PlantedFault {
  readonly name: string;
  readonly planted: Planted;
  /** It shows only where nothing but the fence keeps writers apart. */
  readonly fenceAlone: boolean;
}

/**
 * What is said when a program does not get on, which a fault that was badly planted does as well.
 * Whatever else is said is a promise that was broken; of those a fault breaks, chance says which
 * is seen first.
 */
export const breakdown =
  /^a start failed|^nothing moves|^a process goes on and on|descriptors were left open$/;

/** Faults of the kind the program was written against, each a wrapper around one contract. */
export const plantedFaults: readonly PlantedFault[] = [
  {
    name: "no sync",
    planted: {
      volume: (volume) => overVolume(volume, () => ({ sync: () => Promise.resolve() })),
      blind: true,
    },
    fenceAlone: false,
  },
  {
    name: "no sync of the directory",
    planted: {
      volume: (volume) => ({
        ...overVolume(volume, () => ({})),
        syncDirectory: () => Promise.resolve(),
      }),
      blind: true,
    },
    fenceAlone: false,
  },
  {
    name: "no fence",
    planted: { catalogInside: withoutFence },
    fenceAlone: true,
  },
  {
    name: "the offset is taken from the file's size",
    planted: { blobs: withOffsetOfFile },
    fenceAlone: false,
  },
  {
    name: "a new writer does not wait for the one before",
    planted: { impatient: true },
    fenceAlone: false,
  },
  {
    name: "a write that takes long is given up and its descriptor closed",
    planted: { volume: (volume, { clock }) => overVolume(volume, givingUp(clock)) },
    fenceAlone: false,
  },
  {
    name: "a sync that failed is tried again",
    planted: {
      volume: (volume) =>
        overVolume(volume, (file) => ({ sync: () => file.sync().catch(() => file.sync()) })),
      blind: true,
    },
    fenceAlone: false,
  },
  {
    name: "an error of a commit is taken for not done",
    planted: { catalogOutside: withLostAnswers },
    fenceAlone: false,
  },
  {
    name: "an append whose digest does not match is committed all the same",
    planted: { request: withAnyDigest },
    fenceAlone: false,
  },
  {
    name: "bytes are committed before their digest has matched",
    planted: { request: (request) => ({ ...request, digest: undefined }) },
    fenceAlone: false,
  },
];

/** Whatever came is what was wanted. */
function withAnyDigest(request: AppendRequest): AppendRequest {
  const { body, digest } = request;
  if (digest === undefined) return request;
  const came: Buffer[] = [];
  return {
    ...request,
    body: {
      announcedLength: body.announcedLength,
      get isOver() {
        return body.isOver;
      },
      next: async () => {
        const batch = await body.next();
        // Its memory is used again.
        if (batch.kind === "bytes") came.push(Buffer.concat(batch.chunks));
        return batch;
      },
      stop: () => {
        body.stop();
      },
    },
    digest: { ...digest, expected: () => digestOf(digest.algorithm, Buffer.concat(came)) },
  };
}

/** A volume whose files have some of their verbs changed. */
function overVolume(volume: Volume, changes: (file: VolumeFile) => Partial<VolumeFile>): Volume {
  const over = (file: VolumeFile): VolumeFile => ({ ...file, ...changes(file) });
  return {
    create: async (key) => over(await volume.create(key)),
    open: async (key, mode) => over(await volume.open(key, mode)),
    syncDirectory: (key) => volume.syncDirectory(key),
    remove: (key) => volume.remove(key),
    list: () => volume.list(),
    quarantine: (key) => volume.quarantine(key),
    room: () => volume.room(),
  };
}

function givingUp(clock: SimulatedTime): (file: VolumeFile) => Partial<VolumeFile> {
  return (file) => ({
    write: (chunks, position) =>
      new Promise((resolve, reject) => {
        const cancel = clock.after(500, () => {
          reject(new InjectedError("ETIMEDOUT"));
        });
        file.write(chunks, position).then(resolve, reject).finally(cancel);
      }),
  });
}

/** Goes on where the file ends, whatever the catalog says. */
function withOffsetOfFile(store: BlobStore, volume: Volume): BlobStore {
  return overBlobStore(store, {
    openAppender: async (request) => {
      const last = request.extents.at(-1);
      if (last === undefined || last.key === "") return store.openAppender(request);
      const file = await volume.open(last.key, "read");
      const length = await file.length();
      await file.close();
      if (length <= last.length) return store.openAppender(request);
      const extents = [...request.extents.slice(0, -1), { ...last, length }];
      return store.openAppender({ ...request, extents, offset: last.start + length });
    },
  });
}

/** Commits whatever fence it is given. */
function withoutFence(catalog: Catalog): Catalog {
  const fences = new Map<string, string>();
  return overCatalog(catalog, {
    takeLease: (id, fence) => {
      fences.set(id, fence);
      return catalog.takeLease(id, fence);
    },
    advance: (advance) => {
      const fence = fences.get(advance.id) ?? advance.fence;
      return catalog.advance({ ...advance, fence });
    },
  });
}

/** Commits beyond the first are done and called not done; what was known before is believed. */
function withLostAnswers(catalog: Catalog): Catalog {
  const believed = new Map<string, { upload: Upload; extents: Extent[] }>();
  return overCatalog(catalog, {
    advance: async (advance) => {
      const upload = await catalog.findUpload(advance.id);
      const extents = await catalog.listExtents(advance.blobId);
      const outcome = await catalog.advance(advance);
      if (outcome !== "done" || advance.from === 0 || upload === undefined) return outcome;
      believed.set(advance.id, { upload, extents });
      throw new CatalogFullError();
    },
    takeLease: async (id, fence) => {
      const upload = await catalog.takeLease(id, fence);
      return believed.get(id)?.upload ?? upload;
    },
    findUpload: async (id) => believed.get(id)?.upload ?? (await catalog.findUpload(id)),
    listExtents: async (blobId) => {
      const extents = await catalog.listExtents(blobId);
      const old = [...believed.values()].find(({ upload }) => upload.blobId === blobId);
      return old?.extents ?? extents;
    },
  });
}

/** A catalog with some of its verbs changed. */
function overCatalog(catalog: Catalog, changes: Partial<Catalog>): Catalog {
  return new Proxy(catalog, {
    get: (inner, verb): unknown => {
      const changed: unknown = Reflect.get(changes, verb);
      if (changed !== undefined) return changed;
      const method: unknown = Reflect.get(inner, verb, inner);
      if (typeof method !== "function") return method;
      return (...values: unknown[]): unknown => Reflect.apply(method, inner, values);
    },
  });
}
