import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import {
  doomedKeys,
  insertComplete,
  insertHeld,
  makeAdvance,
  makeEnd,
  makeExtent,
  makeFile,
  makeKey,
  makeUpload,
  type OpenCatalog,
  type OpenedCatalog,
} from "./catalog-samples.ts";

/** How uploads end, and what becomes of their bytes. */
export function describeCatalogEnds(open: OpenCatalog): void {
  describe("ends", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test.for(["cancelled", "expired", "rejected"] as const)(
      "an upload that ends as %s keeps its reason and dooms its keys",
      async (state) => {
        const upload = await insertHeld(catalog);
        const extents = [
          makeExtent(),
          makeExtent({ key: "", start: 100, inline: Uint8Array.of(1) }),
        ];
        await catalog.advance(makeAdvance(upload, { to: 101, extents }));
        expect(await catalog.end(makeEnd(upload, { state, reason: "so" }))).toBe("done");
        const next = await opened.reopen();
        expect(await doomedKeys(next)).toEqual([extents[0]?.key]);
        expect(await next.findUpload(upload.id)).toMatchObject({
          state,
          reason: "so",
          offset: 101,
          updatedAt: 3_000,
        });
      },
    );

    test("ending dooms stored keys only, and forgets the extents", async () => {
      const upload = await insertHeld(catalog);
      const stored = makeExtent();
      const inline = makeExtent({ key: "", start: 100, length: 1, inline: Uint8Array.of(1) });
      await catalog.advance(makeAdvance(upload, { to: 101, extents: [stored, inline] }));
      await catalog.end(makeEnd(upload));
      expect(await doomedKeys(catalog)).toEqual([stored.key]);
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
    });

    test("a damaged upload keeps its bytes", async () => {
      const upload = await insertHeld(catalog);
      const extent = makeExtent();
      await catalog.advance(makeAdvance(upload, { extents: [extent] }));
      const ending = makeEnd(upload, { state: "damaged", reason: "bytes are missing" });
      expect(await catalog.end(ending)).toBe("done");
      expect(await catalog.findUpload(upload.id)).toMatchObject({ state: "damaged" });
      expect(await catalog.listExtents(upload.blobId)).toEqual([extent]);
      expect(await doomedKeys(catalog)).toEqual([]);
    });

    test("an end under a stale fence, or of an ended upload, changes nothing", async () => {
      const held = await insertHeld(catalog);
      await catalog.advance(makeAdvance(held));
      const before = await catalog.findUpload(held.id);
      expect(await catalog.end(makeEnd(held, { fence: "other" }))).toBe("stale");
      expect(await catalog.findUpload(held.id)).toEqual(before);
      const { upload } = await insertComplete(catalog);
      await catalog.takeLease(upload.id, "first");
      expect(await catalog.end(makeEnd(upload))).toBe("stale");
      expect(await catalog.findUpload(upload.id)).toEqual(upload);
      expect(await doomedKeys(catalog)).toEqual([]);
    });

    test("a complete upload ends where that is asked for, and dooms its keys", async () => {
      const { upload, key } = await insertComplete(catalog);
      await catalog.takeLease(upload.id, "first");
      const ending = makeEnd(upload, { from: ["open", "complete"] });
      expect(await catalog.end(ending)).toBe("done");
      expect(await catalog.findUpload(upload.id)).toMatchObject({ state: ending.state });
      expect(await doomedKeys(catalog)).toEqual([key]);
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
      expect(await catalog.end(ending)).toBe("stale");
    });

    test("a complete upload that ends leaves the bytes of its file", async () => {
      const { upload, key } = await insertComplete(catalog);
      const file = makeFile(upload);
      await catalog.insertFile(file);
      await catalog.takeLease(upload.id, "first");
      const ending = makeEnd(upload, { from: ["open", "complete"] });
      expect(await catalog.end(ending)).toBe("done");
      expect(await catalog.listExtents(upload.blobId)).toMatchObject([{ key }]);
      expect(await doomedKeys(catalog)).toEqual([]);
      expect(await catalog.removeFile(file.id, 4_000)).toBe(true);
      expect(await doomedKeys(catalog)).toEqual([key]);
    });

    test("what is due expires, at its very time, and its bytes are doomed", async () => {
      const due = await insertHeld(catalog);
      const extent = makeExtent();
      await catalog.advance(makeAdvance(due, { extents: [extent], expiresAt: 20_000 }));
      await catalog.releaseLease(due.id, "first");
      const later = makeUpload({ expiresAt: 20_001 });
      await catalog.insertUpload(later);
      expect(await catalog.expireUploads(19_999, 10)).toEqual([]);
      expect((await catalog.listExpiring(20_000, 10)).map(({ id }) => id)).toEqual([due.id]);
      expect((await catalog.findUpload(due.id))?.state).toBe("open");
      expect(await catalog.expireUploads(20_000, 10)).toEqual([due.id]);
      expect(await catalog.findUpload(due.id)).toMatchObject({ state: "expired", offset: 100 });
      expect(await catalog.findUpload(later.id)).toEqual(later);
      expect(await doomedKeys(catalog)).toEqual([extent.key]);
      expect(await catalog.expireUploads(20_000, 10)).toEqual([]);
    });

    test("an upload that somebody holds does not expire until it is let go", async () => {
      const upload = await insertHeld(catalog);
      expect(await catalog.expireUploads(50_000, 10)).toEqual([]);
      expect(await catalog.findUpload(upload.id)).toEqual(upload);
      await catalog.releaseLease(upload.id, "first");
      expect(await catalog.expireUploads(50_000, 10)).toEqual([upload.id]);
    });

    test("an upload that has all its bytes is completed, never expired", async () => {
      const upload = await insertHeld(catalog, { length: 100 });
      await catalog.advance(makeAdvance(upload));
      await catalog.releaseLease(upload.id, "first");
      expect(await catalog.listExpiring(50_000, 10)).toEqual([]);
      expect(await catalog.expireUploads(50_000, 10)).toEqual([]);
    });

    test("expiry dooms the blobs that no file shows and leaves published ones whole", async () => {
      const published = await insertComplete(catalog);
      const unpublished = await insertComplete(catalog);
      const file = makeFile(published.upload);
      await catalog.insertFile(file);
      const expired = await catalog.expireUploads(50_000, 10);
      expect(expired.sort()).toEqual([published.upload.id, unpublished.upload.id].sort());
      expect(await doomedKeys(catalog)).toEqual([unpublished.key]);
      expect(await catalog.listExtents(published.upload.blobId)).toHaveLength(1);
      expect(await catalog.findFile(file.id)).toEqual(file);
    });

    test("no more than the limit expire at once, the longest due first", async () => {
      const uploads = [30, 10, 20].map((expiresAt) => makeUpload({ expiresAt }));
      for (const upload of uploads) await catalog.insertUpload(upload);
      const [third, first, second] = uploads.map(({ id }) => id);
      expect((await catalog.listExpiring(100, 2)).map(({ id }) => id)).toEqual([first, second]);
      expect((await catalog.expireUploads(100, 2)).sort()).toEqual([first, second].sort());
      expect(await catalog.expireUploads(100, 2)).toEqual([third]);
    });

    test("uploads that are held, however many, do not keep others from expiring", async () => {
      for (const expiresAt of [10, 20, 20, 30]) await insertHeld(catalog, { expiresAt });
      const due = [5, 20, 20, 20, 40, 50].map((expiresAt) => makeUpload({ expiresAt }));
      for (const upload of due) await catalog.insertUpload(upload);
      const expired: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        const page = await catalog.expireUploads(100, 2);
        expect(page).toHaveLength(2);
        expired.push(...page);
      }
      expect(expired.sort()).toEqual(due.map(({ id }) => id).sort());
      expect(await catalog.expireUploads(100, 2)).toEqual([]);
    });

    test("ended uploads are forgotten after their time; open and complete ones stay", async () => {
      const ended: string[] = [];
      for (const at of [3_000, 4_999, 5_000]) {
        const upload = await insertHeld(catalog);
        await catalog.end(makeEnd(upload, { at }));
        ended.push(upload.id);
      }
      const { upload: complete } = await insertComplete(catalog);
      const openUpload = makeUpload();
      await catalog.insertUpload(openUpload);
      const damaged = await insertHeld(catalog);
      await catalog.end(makeEnd(damaged, { state: "damaged" }));
      expect(await catalog.removeEndedUploads(5_000)).toBe(2);
      expect(await catalog.removeEndedUploads(5_000)).toBe(0);
      const kept = [ended[2], complete.id, openUpload.id, damaged.id];
      const listed = await catalog.listUploads({
        appId: "1001",
        state: undefined,
        after: undefined,
        limit: 10,
      });
      expect(listed.map(({ id }) => id).sort()).toEqual(kept.sort());
    });

    test("doomed keys are listed from their time on, oldest first, until forgotten", async () => {
      const keys: string[] = [];
      for (const at of [7_000, 6_000, 8_000]) {
        const upload = await insertHeld(catalog);
        const extent = makeExtent();
        await catalog.advance(makeAdvance(upload, { extents: [extent] }));
        await catalog.end(makeEnd(upload, { at }));
        keys.push(extent.key);
      }
      const [second, first, third] = keys as [string, string, string];
      expect(await catalog.listDoomed(5_999, 10)).toEqual([]);
      expect(await catalog.listDoomed(7_000, 10)).toEqual([first, second]);
      expect(await catalog.listDoomed(8_000, 1)).toEqual([first]);
      await catalog.forgetDoomed([first, third, makeKey()]);
      await catalog.forgetDoomed([first]);
      await catalog.forgetDoomed([]);
      expect(await (await opened.reopen()).listDoomed(9_000, 10)).toEqual([second]);
    });

    test("doomed keys that are put off are listed from their new time on, behind the others", async () => {
      const keys: string[] = [];
      for (const at of [6_000, 7_000]) {
        const upload = await insertHeld(catalog);
        const extent = makeExtent();
        await catalog.advance(makeAdvance(upload, { extents: [extent] }));
        await catalog.end(makeEnd(upload, { at }));
        keys.push(extent.key);
      }
      const [first, second] = keys as [string, string];
      const notDoomed = makeKey();
      await catalog.putOffDoomed([first, notDoomed], 8_000);
      await catalog.putOffDoomed([], 9_000);
      expect(await catalog.listDoomed(7_999, 10)).toEqual([second]);
      expect(await catalog.listDoomed(8_000, 10)).toEqual([second, first]);
      expect(await catalog.knownKeys([first, notDoomed])).toEqual(new Set([first]));
    });

    test("known keys are those of extents and those that are doomed, and no others", async () => {
      const { key } = await insertComplete(catalog);
      const cancelled = await insertHeld(catalog);
      const doomed = makeExtent();
      await catalog.advance(makeAdvance(cancelled, { extents: [doomed] }));
      await catalog.end(makeEnd(cancelled));
      const asked = [key, doomed.key, makeKey()];
      expect(await catalog.knownKeys(asked)).toEqual(new Set([key, doomed.key]));
      expect(await catalog.knownKeys([])).toEqual(new Set());
      await catalog.forgetDoomed([doomed.key]);
      expect(await catalog.knownKeys(asked)).toEqual(new Set([key]));
    });
  });
}
