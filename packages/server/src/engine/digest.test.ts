import { createHash } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import {
  insertHeld,
  completion,
  makeAdvance,
  makeApp,
  makeFile,
} from "../../../../test/contract/catalog-samples.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import { crc32 } from "../base/crc32.ts";
import type { Extent, PublishedFile, Upload } from "../catalog/records.ts";
import { digestDue, sha256Of, sha256OfUpload } from "./digest.ts";
import type { EngineParts } from "./parts.ts";

const on = (): { readonly unreadable: Set<string>; readonly signal: AbortSignal } => ({
  unreadable: new Set(),
  signal: new AbortController().signal,
});

let catalog: MemoryCatalog;
let engine: EngineParts;

beforeEach(async () => {
  catalog = new MemoryCatalog();
  engine = engineOver(catalog);
  await catalog.insertApp(makeApp({ digestPolicy: "on_publish" }));
});

interface Published {
  readonly file: PublishedFile;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** A published file of three extents; `changed` says what is read of them. */
async function publishOne(
  seed: number,
  changed: (bytes: Buffer) => Uint8Array = (bytes) => bytes,
): Promise<Published> {
  const bytes = patternBytes({ seed, length: 3_000 });
  const held = await insertHeld(catalog, { length: bytes.length });
  const kept = changed(Buffer.from(bytes));
  const extents = [0, 1_000, 2_000].map((start) => {
    const inline = kept.subarray(start, start + 1_000);
    return { key: "", start, length: 1_000, crc32: crc32(inline), inline };
  });
  const ending = { state: "complete", completion } as const;
  await catalog.advance(makeAdvance(held, { to: bytes.length, extents, ending }));
  const file = makeFile(held, { crc32: crc32(bytes) });
  await catalog.insertFile(file);
  return { file, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

const knownOf = async ({ file }: Published) => (await catalog.findFile(file.id))?.sha256;

const damaged = (bytes: Buffer): Uint8Array => {
  bytes.writeUInt8(bytes.readUInt8(1_500) ^ 1, 1_500);
  return bytes;
};

test("every file that is due gets the digest of its bytes, and is not read again", async () => {
  const published = [await publishOne(1), await publishOne(2)];
  await digestDue(engine, on());
  for (const each of published) expect(await knownOf(each)).toBe(each.sha256);
  expect(await catalog.listUndigested(10)).toEqual([]);
});

test("files of an app that leaves it to requests are not touched", async () => {
  await catalog.updateApp(makeApp().id, { digestPolicy: "on_request" });
  const published = await publishOne(1);
  await digestDue(engine, on());
  expect(await knownOf(published)).toBeUndefined();
  expect(await sha256Of(engine, published.file)).toBe(published.sha256);
  expect(await knownOf(published)).toBe(published.sha256);
});

test("a file asked for before it was its turn is answered right", async () => {
  const published = await publishOne(1);
  const [asked] = await Promise.all([sha256Of(engine, published.file), digestDue(engine, on())]);
  expect(asked).toBe(published.sha256);
  expect(await knownOf(published)).toBe(published.sha256);
});

test("a process that ends in the middle leaves the file due, for the next one", async () => {
  const published = await publishOne(1);
  const ending = new AbortController();
  let extentsRead = 0;
  const ended = new (class extends MemoryCatalog {
    override async listExtents(blobId: string): Promise<Extent[]> {
      const extents = await super.listExtents(blobId);
      extentsRead += extents.length;
      ending.abort();
      return extents;
    }
  })(catalog.rows);
  await digestDue(engineOver(ended), { unreadable: new Set(), signal: ending.signal });
  expect(extentsRead).toBeGreaterThan(0);
  expect(await knownOf(published)).toBeUndefined();
  await digestDue(engineOver(new MemoryCatalog(catalog.rows)), on());
  expect(await knownOf(published)).toBe(published.sha256);
});

test("bytes that are not those acknowledged get no digest, and hold up no other file", async () => {
  const broken = await publishOne(1, damaged);
  const whole = [await publishOne(2), await publishOne(3)];
  const failures: object[] = [];
  const log = { ...engine.log, error: (facts: object) => failures.push(facts) };
  const run = on();
  await digestDue({ ...engine, log }, run);
  for (const each of whole) expect(await knownOf(each)).toBe(each.sha256);
  expect(await knownOf(broken)).toBeUndefined();
  expect(failures).toMatchObject([{ file: broken.file.id }]);
  const refusal = { code: "upload_damaged" };
  await expect(sha256Of(engine, broken.file)).rejects.toMatchObject(refusal);
  expect(await knownOf(broken)).toBeUndefined();
  // Not tried over and over again, and what comes later still gets its turn.
  const later = await publishOne(4);
  await digestDue({ ...engine, log }, run);
  expect(await knownOf(later)).toBe(later.sha256);
  expect(failures).toHaveLength(1);
});

test("a file that is deleted while it is read has no digest", async () => {
  const published = await publishOne(1);
  await catalog.removeFile(published.file.id, 6_000);
  await expect(sha256Of(engine, published.file)).rejects.toMatchObject({ code: "node_unknown" });
});

/** Its upload, with the checksum of the bytes that were acknowledged. */
async function uploadOf({ file }: Pick<Published, "file">): Promise<Upload> {
  const upload = await catalog.findUpload(file.uploadId);
  if (upload === undefined) throw new Error("the sample is not there");
  return { ...upload, crc32: file.crc32 };
}

/** What is read of these blobs waits until it is let go. */
function heldReads(): {
  readonly held: EngineParts;
  readonly reads: string[];
  readonly letGo: () => void;
} {
  const reads: string[] = [];
  const free = Promise.withResolvers<undefined>();
  const held = new (class extends MemoryCatalog {
    override async listExtents(blobId: string): Promise<Extent[]> {
      reads.push(blobId);
      await free.promise;
      return await super.listExtents(blobId);
    }
  })(catalog.rows);
  return {
    held: engineOver(held),
    reads,
    letGo: () => {
      free.resolve(undefined);
    },
  };
}

test("whoever asks for a digest that is being made gets that one, and it is kept", async () => {
  const { file, sha256 } = await publishOne(1);
  const upload = await uploadOf({ file });
  const { held, reads, letGo } = heldReads();
  const asked = [sha256OfUpload(held, upload), sha256OfUpload(held, upload), sha256Of(held, file)];
  letGo();
  expect(await Promise.all(asked)).toEqual([sha256, sha256, sha256]);
  expect(reads).toEqual([file.blobId]);
  expect((await catalog.findUpload(upload.id))?.sha256).toBe(sha256);
  expect((await catalog.findFile(file.id))?.sha256).toBe(sha256);
});

test("one who goes away takes the digest from nobody else, and the last of them ends it", async () => {
  const { file, sha256 } = await publishOne(1);
  const upload = await uploadOf({ file });
  const { held, letGo } = heldReads();
  const leaving = new AbortController();
  const gone = sha256OfUpload(held, upload, leaving.signal);
  const stays = sha256OfUpload(held, upload);
  leaving.abort(new Error("gone"));
  await expect(gone).rejects.toThrow("gone");
  letGo();
  expect(await stays).toBe(sha256);
  const other = await uploadOf(await publishOne(2));
  const alone = sha256OfUpload(held, other, AbortSignal.abort(new Error("gone")));
  await expect(alone).rejects.toThrow("gone");
  expect((await catalog.findUpload(other.id))?.sha256).toBeUndefined();
});

test("a complete upload has one, too, of what was acknowledged alone", async () => {
  const published = await publishOne(1);
  expect(await sha256OfUpload(engine, await uploadOf(published))).toBe(published.sha256);
  const broken = await uploadOf(await publishOne(2, damaged));
  await expect(sha256OfUpload(engine, broken)).rejects.toMatchObject({ code: "upload_damaged" });
  const proven = { ...broken, sha256: published.sha256 };
  expect(await sha256OfUpload(engine, proven)).toBe(published.sha256);
});
