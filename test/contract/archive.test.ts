import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import type { PublishedFile } from "../../packages/server/src/catalog/records.ts";
import { SqliteCatalog } from "../../packages/server/src/catalog/sqlite.ts";
import { append } from "../../packages/server/src/engine/append.ts";
import { createUpload } from "../../packages/server/src/engine/create.ts";
import { deleteFile } from "../../packages/server/src/engine/look-up.ts";
import type { EngineParts } from "../../packages/server/src/engine/parts.ts";
import { readBlob } from "../../packages/server/src/engine/read.ts";
import { sweep } from "../../packages/server/src/engine/sweep.ts";
import { archiveBlobPath } from "../../packages/server/src/service/archive.ts";
import { exportDeployment } from "../../packages/server/src/service/export.ts";
import { importDeployment, type ImportReport } from "../../packages/server/src/service/import.ts";
import { fastDirectory } from "../support/fast-directory.ts";
import { givenBody } from "../support/given-body.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { engineOver } from "../support/memory-engine.ts";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { patternBytes } from "../support/seeded.ts";
import { makeApp, makeFile } from "./catalog-samples.ts";

const day = 86_400_000;
const app = { ...makeApp({ lengthMax: 1_000_000, contentPolicy: "off" }), secret: "secret" };
const length = 100_000;

const databases = await PostgresDatabases.start();

describe("an archive of a deployment over SQLite", () => {
  describeArchive(async () => {
    const directory = await temporaryDirectory();
    return SqliteCatalog.open(path.join(directory, "catalog.db"), (error) => {
      throw error;
    });
  });
});

if (typeof databases === "string") {
  test("an archive of a deployment over Postgres", (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());

  describe("an archive of a deployment over Postgres", () => {
    describeArchive(async () => databases.open(await databases.create()));
  });
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(await fastDirectory(), "hawser-archive-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

function describeArchive(open: () => Promise<Catalog>): void {
  /** Two places, of which one is to get what the other has. */
  async function twoPlaces() {
    const clock = new ManualClock();
    const [from, to] = [await place(clock), await place(clock)];
    await from.catalog.insertApp(app);
    return { clock, from, to };
  }

  async function place(clock: ManualClock): Promise<EngineParts> {
    const catalog = await open();
    onTestFinished(() => catalog.close());
    return engineOver(catalog, { clock, handleLifetimeMs: 4 * day });
  }

  test("has the files of uploads that were forgotten long ago, an empty one among them", async () => {
    const { clock, from, to } = await twoPlaces();
    const old = [await published(from, length), await published(from, 0)];
    await days(5, from, clock);
    await days(8, from, clock);
    for (const { uploadId } of old) {
      expect(await from.catalog.findUpload(uploadId)).toBeUndefined();
    }
    const files = [...old, await published(from, length)];
    const archive = await exported(from);
    expect(await imported(to, archive)).toMatchObject({ uploads: 3, known: 0, bytes: 2 * length });
    for (const file of files) await expectThere(to, file);
    expect(await imported(to, archive)).toMatchObject({ uploads: 0, known: 3 });
    // There, too, they outlive their uploads, and can be moved on.
    await days(5, to, clock);
    await days(8, to, clock);
    const third = await place(clock);
    await imported(third, await exported(to));
    for (const file of files) await expectThere(third, file);
  });

  test.each([length, 0])("has a file of %i bytes whose upload has expired", async (size) => {
    const { clock, from, to } = await twoPlaces();
    const file = await published(from, size);
    await days(5, from, clock);
    expect((await from.catalog.findUpload(file.uploadId))?.state).toBe("expired");
    const archive = await exported(from);
    expect(await imported(to, archive)).toMatchObject({ uploads: 1, known: 0, bytes: size });
    await expectThere(to, file);
    expect(await imported(to, archive)).toMatchObject({ uploads: 0, known: 1, bytes: 0 });
  });

  test("is read in to its end after an import that broke off, whatever was swept between", async () => {
    const { clock, from, to } = await twoPlaces();
    const file = await published(from, length);
    await days(5, from, clock);
    const archive = await exported(from);
    await importCutOff(to, archive, file);
    await days(1, to, clock);
    expect(await imported(to, archive)).toMatchObject({ uploads: 1, bytes: length });
    await expectThere(to, file);
  });

  test("is not told to be there where a file has no upload any more that could bring it", async () => {
    const { clock, from, to } = await twoPlaces();
    const file = await published(from, length);
    const archive = await exported(from);
    await importCutOff(to, archive, file);
    await days(400, to, clock);
    const words = `file ${file.id} cannot be read in: its upload ${file.uploadId} is expired here`;
    await expect(imported(to, archive)).rejects.toThrow(words);
    await days(8, to, clock);
    expect(await imported(to, archive)).toMatchObject({ uploads: 1, bytes: length });
    await expectThere(to, file);
  });

  test("does not bring back a file that was deleted since it was read in", async () => {
    const { from, to } = await twoPlaces();
    const file = await published(from, length);
    const archive = await exported(from);
    await imported(to, archive);
    await deleteFile(to, file);
    expect(await imported(to, archive)).toMatchObject({ uploads: 0, known: 1 });
    expect(await to.catalog.findFile(file.id)).toBeUndefined();
  });
}

/** A file of this length, published. */
async function published(engine: EngineParts, length: number): Promise<PublishedFile> {
  const begun = await createUpload(engine, {
    ...{ id: randomUUID(), app, userId: "42", name: "a.bin", type: "application/octet-stream" },
    ...{ length, protocol: "graph", creation: "", completes: "at_length" },
  });
  const body = givenBody(length === 0 ? [] : [patternBytes({ seed: 1, length })]);
  const authorise = (): Promise<void> => Promise.resolve();
  const upload = await append(engine, { id: begun.id, offset: 0, body, authorise });
  const { crc32, offset: size } = upload;
  const file = await engine.catalog.insertFile(makeFile(upload, { crc32, size }));
  if (file === undefined) throw new Error("the upload could not be published");
  return file;
}

async function days(count: number, engine: EngineParts, clock: ManualClock): Promise<void> {
  clock.pass(count * day);
  await sweep(engine, { dryRun: false });
}

async function exported(engine: EngineParts): Promise<string> {
  const directory = await temporaryDirectory();
  await exportDeployment(engine, directory);
  return directory;
}

function imported(engine: EngineParts, directory: string): Promise<ImportReport> {
  return importDeployment({ engine, apps: { find: () => Promise.resolve(app) } }, directory);
}

/** An import that ends once it has begun the upload of this file. */
async function importCutOff(
  engine: EngineParts,
  archive: string,
  { blobId, size }: PublishedFile,
): Promise<void> {
  const name = archiveBlobPath(archive, blobId);
  await writeFile(name, Buffer.alloc(size));
  await expect(imported(engine, archive)).rejects.toThrow("is damaged");
  await writeFile(name, patternBytes({ seed: 1, length: size }));
}

async function expectThere(engine: EngineParts, file: PublishedFile): Promise<void> {
  expect(await engine.catalog.findFile(file.id)).toEqual(file);
  const pieces: Uint8Array[] = [];
  for await (const piece of readBlob(engine, file.blobId, { from: 0, to: file.size })) {
    pieces.push(piece);
  }
  const wanted = patternBytes({ seed: 1, length: file.size });
  expect(Buffer.concat(pieces).equals(wanted)).toBe(true);
}
