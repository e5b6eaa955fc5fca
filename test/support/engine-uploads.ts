import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { Body } from "../../packages/server/src/base/body.ts";
import { NodeVolume } from "../../packages/server/src/blobs/disk/node-volume.ts";
import type { Upload } from "../../packages/server/src/catalog/records.ts";
import { append, type AppendRequest } from "../../packages/server/src/engine/append.ts";
import { createUpload, type CreateRequest } from "../../packages/server/src/engine/create.ts";
import type { EngineParts } from "../../packages/server/src/engine/parts.ts";
import { readBlob } from "../../packages/server/src/engine/read.ts";
import { MemoryCatalog } from "./memory-catalog.ts";
import { diskStoreOver, engineOver } from "./memory-engine.ts";

export const lengthMax = 200_000;

/** Uploads of one app in an engine of their own, which has its disk in memory. */
export class EngineUploads {
  readonly catalog = new MemoryCatalog();
  engine: EngineParts = engineOver(this.catalog);

  create(changes: Partial<CreateRequest> = {}): Promise<Upload> {
    const app = {
      id: "1001",
      lengthMax,
      lifetimeMs: 86_400_000,
      contentPolicy: "off",
      roomBytesMax: undefined,
    } as const;
    return createUpload(this.engine, {
      ...{ id: randomUUID(), app, userId: "42", name: "a.bin", type: "application/octet-stream" },
      ...{ length: lengthMax / 2, protocol: "graph", creation: "", completes: "at_length" },
      ...changes,
    });
  }

  send(
    { id }: Upload,
    offset: number,
    words: Partial<AppendRequest> & { readonly body: Body },
  ): Promise<Upload> {
    return append(this.engine, { id, offset, authorise: () => Promise.resolve(), ...words });
  }

  async stored({ id }: Upload): Promise<Upload | undefined> {
    return await this.catalog.findUpload(id);
  }

  async contentOf({ blobId, offset: to }: Upload): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlob(this.engine, blobId, { from: 0, to })) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Puts the engine over a directory of its own; says which files are left in it. */
  async onRealDisk(): Promise<() => Promise<string[]>> {
    const root = await mkdtemp(path.join(tmpdir(), "hawser-append-"));
    onTestFinished(() => rm(root, { recursive: true }));
    const [directory, quarantineDirectory] = [path.join(root, "blobs"), path.join(root, "aside")];
    const most = { syncsMax: 2, openFilesMax: 2 };
    const volume = await NodeVolume.open({ directory, quarantineDirectory, ...most });
    this.engine = engineOver(this.catalog, { blobs: diskStoreOver(volume) });
    return async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    };
  }
}
