import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32 } from "../../packages/server/src/base/crc32.ts";
import type {
  Appender,
  BlobStore,
  StoredExtent,
} from "../../packages/server/src/blobs/blob-store.ts";
import { collect, KeptBlob, readRange } from "./kept-blob.ts";

export interface OpenedBlobStore {
  readonly store: BlobStore;
  /** Closes the store and opens the same place, as the next process would. */
  reopen(): Promise<BlobStore>;
  /** Every key that holds bytes, looked up behind the store's back. */
  keysOnVolume(): Promise<string[]>;
  /** Makes a key's bytes this long behind the store's back, with junk where they grow. */
  setLength(key: string, length: number): Promise<void>;
  lengthOf(key: string): Promise<number>;
  dispose(): Promise<void>;
}

/** What every blob store does, wherever it keeps its bytes. */
export function describeBlobStore(name: string, open: () => Promise<OpenedBlobStore>): void {
  describe(name, () => {
    let opened: OpenedBlobStore;
    let store: BlobStore;
    let blobs: KeptBlob[];

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      blobs = [];
    });

    afterEach(async () => {
      const left = await opened.keysOnVolume();
      const named = new Set(blobs.flatMap((blob) => [...blob.keys, ...blob.doomed]));
      await opened.dispose();
      // Nothing is left behind that no extent names.
      expect(left.filter((key) => !named.has(key))).toEqual([]);
    });

    function newBlob(): KeptBlob {
      const blob = new KeptBlob();
      blobs.push(blob);
      return blob;
    }

    function openEnd(blob: KeptBlob): Promise<Appender> {
      return blob.open(store);
    }

    async function checkpoint(appender: Appender, blob: KeptBlob): Promise<void> {
      blob.keep(await appender.checkpoint("everything"));
    }

    function append(blob: KeptBlob, bytes: Uint8Array): Promise<void> {
      return blob.append(store, bytes);
    }

    async function storedBlob(
      bytes: Uint8Array,
    ): Promise<{ blob: KeptBlob; extent: StoredExtent }> {
      const blob = newBlob();
      await append(blob, bytes);
      return { blob, extent: onlyExtentOf(blob) };
    }

    function readBlob(blob: KeptBlob): Promise<Buffer> {
      return blob.read(store);
    }

    test("appended bytes read back along the extents, with their CRC-32", async () => {
      const blob = newBlob();
      const pieces = [1, 70_000, 3, 1_300_000].map((length) => randomBytes(length));
      const appender = await openEnd(blob);
      for (const piece of pieces) {
        await appender.write([piece.subarray(0, 1), piece.subarray(1)]);
        await checkpoint(appender, blob);
        expect(appender.position).toBe(blob.offset);
      }
      await appender.close();
      expect(await readBlob(blob)).toEqual(Buffer.concat(pieces));
    });

    test("thousands of small pieces in one write stay in order", async () => {
      const bytes = randomBytes(6_000);
      const blob = newBlob();
      const appender = await openEnd(blob);
      await appender.write(Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)));
      await checkpoint(appender, blob);
      await appender.close();
      expect(await readBlob(blob)).toEqual(bytes);
    });

    test("a checkpoint says exactly what was written when it was issued", async () => {
      const blob = newBlob();
      const [first, second] = [randomBytes(200_000), randomBytes(300_000)];
      const appender = await openEnd(blob);
      await appender.write([first]);
      const issued = checkpoint(appender, blob);
      const writing = appender.write([second]);
      await issued;
      expect(blob.offset).toBe(first.length);
      expect(await readBlob(blob)).toEqual(first);
      await writing;
      expect(appender.position).toBe(first.length + second.length);
      await checkpoint(appender, blob);
      await appender.close();
      expect(await readBlob(blob)).toEqual(Buffer.concat([first, second]));
    });

    test("a checkpoint with nothing new names no extents", async () => {
      const blob = newBlob();
      const appender = await openEnd(blob);
      await appender.write([Buffer.from("abc")]);
      await checkpoint(appender, blob);
      await appender.write([]);
      expect(await appender.checkpoint("everything")).toMatchObject({ to: 3, extents: [] });
      await appender.close();
      const again = await openEnd(blob);
      expect(again.position).toBe(3);
      expect(await again.checkpoint("everything")).toMatchObject({ to: 3, extents: [] });
      await again.close();
    });

    test("going on after reopening continues the blob, in place where the store can", async () => {
      const bytes = randomBytes(90_000);
      const blob = newBlob();
      await append(blob, bytes.subarray(0, 40_000));
      await append(blob, bytes.subarray(40_000, 50_000));
      store = await opened.reopen();
      await append(blob, bytes.subarray(50_000));
      expect(await readBlob(blob)).toEqual(bytes);
      if (store.properties.growsInPlace) expect(blob.extents).toHaveLength(1);
    });

    test("bytes beyond the committed offset are cut off before new ones are written", async (context) => {
      if (!store.properties.growsInPlace) context.skip("no key is written to twice here");
      const blob = newBlob();
      const [kept, on] = [randomBytes(30_000), randomBytes(20_000)];
      await append(blob, kept);
      const lost = await openEnd(blob);
      await lost.write([randomBytes(40_000)]);
      await lost.close();
      store = await opened.reopen();
      await append(blob, on);
      expect(await readBlob(blob)).toEqual(Buffer.concat([kept, on]));
      for (const { key, length } of blob.extents) {
        expect(await opened.lengthOf(key)).toBe(length);
      }
    });

    test("a junk tail never shows, even where nothing is written over it", async (context) => {
      if (!store.properties.growsInPlace)
        context.skip("what is stored here never grows: it has no tail to be cut off");
      const { blob, extent } = await storedBlob(Buffer.from("kept"));
      await opened.setLength(extent.key, 5_000);
      expect(await store.isWhole(extent)).toBe(true);
      expect((await readBlob(blob)).toString()).toBe("kept");
      await (await openEnd(blob)).close();
      expect(await opened.lengthOf(extent.key)).toBe(4);
    });

    test("a blob with missing or short bytes is damaged and is not appended to", async () => {
      const { blob: short, extent } = await storedBlob(randomBytes(30_000));
      await opened.setLength(extent.key, 29_999);
      const { blob: missing, extent: gone } = await storedBlob(randomBytes(30_000));
      await store.remove([gone.key]);
      for (const blob of [short, missing]) {
        await expect(openEnd(blob)).rejects.toMatchObject({ code: "upload_damaged" });
        expect(await store.isWhole(onlyExtentOf(blob))).toBe(false);
      }
      expect(await opened.lengthOf(extent.key)).toBe(29_999);
      expect(await opened.keysOnVolume()).toEqual([extent.key]);
    });

    test("reading bytes that are not there ends by an error, after those that are", async () => {
      const bytes = randomBytes(30_000);
      const { extent } = await storedBlob(bytes);
      await opened.setLength(extent.key, 20_000);
      const seen: Uint8Array[] = [];
      const read = async (): Promise<void> => {
        for await (const chunk of store.read(extent, { from: 0, to: 30_000 })) seen.push(chunk);
      };
      await expect(read()).rejects.toThrow();
      expect(Buffer.concat(seen)).toEqual(bytes.subarray(0, 20_000));
      await store.remove([extent.key]);
      await expect(read()).rejects.toThrow();
    });

    test("appenders of different blobs, at work at once, never mix", async () => {
      const contents = Array.from({ length: 12 }, (_, index) => Buffer.alloc(100_000, index + 1));
      await Promise.all(
        contents.map(async (bytes) => {
          const blob = newBlob();
          const appender = await openEnd(blob);
          for (let from = 0; from < bytes.length; from += 9_999) {
            await appender.write([bytes.subarray(from, from + 9_999)]);
            await checkpoint(appender, blob);
          }
          await appender.close();
          expect(await readBlob(blob)).toEqual(bytes);
        }),
      );
      const keys = blobs.flatMap((blob) => blob.keys);
      expect(new Set(keys).size).toBe(keys.length);
      for (const [index, blob] of blobs.entries()) {
        expect((await readBlob(blob)).length, `blob ${index}`).toBe(100_000);
      }
    });

    test("closing waits for a write and a checkpoint that are under way", async () => {
      const blob = newBlob();
      const appender = await openEnd(blob);
      const bytes = randomBytes(2_000_000);
      const written = appender.write([bytes]);
      await written;
      const checkpointed = checkpoint(appender, blob);
      const more = appender.write([bytes]);
      await appender.close();
      await Promise.all([checkpointed, more]);
      expect(await readBlob(blob)).toEqual(bytes);
    });

    test("any range of an extent reads as it was written", async () => {
      const bytes = randomBytes(1_200_000);
      const { extent } = await storedBlob(bytes);
      const ranges = [
        [0, 0],
        [0, 1],
        [1, 2],
        [524_287, 524_289],
        [100, 1_100_000],
        [1_199_999, 1_200_000],
        [1_200_000, 1_200_000],
      ] as const;
      for (const [from, to] of ranges) {
        expect(await readRange(store, extent, { from, to })).toEqual(bytes.subarray(from, to));
      }
    });

    test("a range of a later extent counts from the start of that extent", async (context) => {
      if (!store.properties.growsInPlace)
        context.skip("this store puts the catalog's own bytes together with what comes next");
      const blob = newBlob();
      // An extent without a key is the catalog's own: the store goes on after it with a new one.
      const inline: StoredExtent = {
        key: "",
        start: 0,
        length: 5,
        crc32: crc32(Buffer.from("12345")),
        inline: Buffer.from("12345"),
      };
      blob.extents = [inline];
      blob.offset = 5;
      const appender = await openEnd(blob);
      expect(appender.position).toBe(5);
      await appender.write([Buffer.from("6789")]);
      await checkpoint(appender, blob);
      await appender.close();
      blob.extents = blob.extents.filter(({ key }) => key !== "");
      const extent = onlyExtentOf(blob);
      expect(extent).toMatchObject({ start: 5, length: 4, crc32: crc32(Buffer.from("6789")) });
      expect((await readRange(store, extent, { from: 1, to: 3 })).toString()).toBe("78");
    });

    test("a read stops when its signal says so", async () => {
      const { extent } = await storedBlob(randomBytes(2_000_000));
      const stop = new AbortController();
      const read = async (): Promise<number> => {
        let chunks = 0;
        for await (const chunk of store.read(extent, { from: 0, to: 2_000_000 }, stop.signal)) {
          chunks += chunk.length > 0 ? 1 : 0;
          stop.abort(new Error("enough"));
        }
        return chunks;
      };
      await expect(read()).rejects.toThrow("enough");
    });

    test("removed bytes are gone, and removing them again is no error", async () => {
      const { extent } = await storedBlob(randomBytes(20_000));
      const { blob: kept } = await storedBlob(randomBytes(20_000));
      await store.remove([extent.key]);
      await store.remove([extent.key, extent.key]);
      await store.remove([]);
      expect(await store.isWhole(extent)).toBe(false);
      expect(await opened.keysOnVolume()).toEqual(kept.keys);
    });

    test("only keys of earlier processes are older keys", async (context) => {
      if (store.properties.needsEpochs)
        context.skip("keys of this store are found by their epochs");
      const { blob, extent: older } = await storedBlob(Buffer.from("older"));
      expect(await olderKeys(store)).toEqual([]);
      store = await opened.reopen();
      expect(await olderKeys(store)).toEqual([older.key]);
      await storedBlob(Buffer.from("newer"));
      await append(blob, Buffer.from(" still"));
      expect(await olderKeys(store)).toEqual([older.key]);
    });

    test("bytes that were never committed are found by the next process", async (context) => {
      if (store.properties.needsEpochs)
        context.skip("keys of this store are found by their epochs");
      await append(new KeptBlob(), Buffer.from("orphan"));
      expect(await olderKeys(store)).toEqual([]);
      store = await opened.reopen();
      const orphans = await olderKeys(store);
      expect(orphans).toHaveLength(1);
      await store.remove(orphans);
      expect(await olderKeys(store)).toEqual([]);
    });

    test("what no checkpoint told of takes no room once its appender has closed", async (context) => {
      if (!store.properties.growsInPlace)
        context.skip("what may lie under a closed epoch is the sweeper's to find");
      const blob = newBlob();
      const begun = await openEnd(blob);
      await begun.write([randomBytes(50_000)]);
      await begun.close();
      expect(await opened.keysOnVolume()).toEqual([]);
      await append(blob, randomBytes(30_000));
      const { key } = onlyExtentOf(blob);
      const goingOn = await openEnd(blob);
      await goingOn.write([randomBytes(50_000)]);
      await goingOn.close();
      expect(await opened.lengthOf(key)).toBe(30_000);
    });

    test("quarantine takes bytes out of the store, once", async (context) => {
      if (store.properties.needsEpochs)
        context.skip("this store sets nothing aside: unknown keys are only reported");
      const { extent } = await storedBlob(Buffer.from("suspect"));
      expect(await store.quarantine(extent.key)).toBe(true);
      expect(await store.quarantine(extent.key)).toBe(false);
      expect(await store.isWhole(extent)).toBe(false);
      store = await opened.reopen();
      expect(await olderKeys(store)).toEqual([]);
      expect(await opened.keysOnVolume()).toEqual([]);
    });
  });
}

function onlyExtentOf(blob: KeptBlob): StoredExtent {
  const [extent, ...others] = blob.extents;
  if (extent === undefined || others.length > 0) throw new Error("one extent was expected");
  return extent;
}

async function olderKeys(store: BlobStore): Promise<string[]> {
  return (await collect(store.listOlderKeys())).sort();
}
