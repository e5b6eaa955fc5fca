import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import type { Upload } from "../../packages/server/src/catalog/records.ts";
import {
  insertComplete,
  insertHeld,
  makeApp,
  makeAdvance,
  makeEnd,
  makeUpload,
  type OpenCatalog,
  type OpenedCatalog,
} from "./catalog-samples.ts";

const since = 5_000;

/** What open uploads may still bring, and what an app is promised of it. */
export function describeCatalogRoom(open: OpenCatalog): void {
  describe("room", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
      // Room is promised to an app, whose row several nodes agree by.
      await catalog.insertApp(makeApp());
    });
    afterEach(() => opened.dispose());

    function makeRecent(length: number, changes: Partial<Upload> = {}): Upload {
      return makeUpload({ length, updatedAt: since, ...changes });
    }

    test("what is still due is what open uploads lack that changed since a time", async () => {
      const held = await insertHeld(catalog, { length: 1_000, updatedAt: since });
      await catalog.insertUpload(makeRecent(50, { appId: "1002" }));
      await catalog.insertUpload(makeRecent(7, { updatedAt: since - 1 }));
      await insertComplete(catalog, { updatedAt: since });
      expect(await catalog.bytesStillDue(since)).toBe(1_050);
      await catalog.advance(makeAdvance(held, { at: since }));
      expect(await catalog.bytesStillDue(since)).toBe(950);
    });

    test("an upload is added up to the very byte of its app's room, and not beyond", async () => {
      const within = { bytesMax: 1_000, since };
      expect(await catalog.insertUpload(makeRecent(400), within)).toBe(true);
      const beyond = makeRecent(601);
      expect(await catalog.insertUpload(beyond, within)).toBe(false);
      expect(await catalog.findUpload(beyond.id)).toBeUndefined();
      const fits = makeRecent(600);
      expect(await catalog.insertUpload(fits, within)).toBe(true);
      expect(await catalog.findUpload(fits.id)).toEqual(fits);
      expect(await catalog.insertUpload(makeRecent(1), within)).toBe(false);
      // Without a cap nothing is summed.
      expect(await catalog.insertUpload(makeRecent(1))).toBe(true);
    });

    test("room is taken by the app's own open uploads, by what they lack, while they last", async () => {
      const within = { bytesMax: 1_000, since };
      const held = await insertHeld(catalog, { length: 900, updatedAt: since });
      await catalog.insertUpload(makeRecent(1_000, { appId: "1002" }));
      await catalog.insertUpload(makeRecent(1_000, { updatedAt: since - 1 }));
      await insertComplete(catalog, { updatedAt: since });
      expect(await catalog.insertUpload(makeRecent(101), within)).toBe(false);
      await catalog.advance(makeAdvance(held, { at: since }));
      expect(await catalog.insertUpload(makeRecent(200), within)).toBe(true);
      expect(await catalog.insertUpload(makeRecent(1), within)).toBe(false);
      await catalog.end(makeEnd(held, { at: since }));
      expect(await catalog.insertUpload(makeRecent(800), within)).toBe(true);
      expect(await catalog.insertUpload(makeRecent(1), within)).toBe(false);
    });

    test("of many inserts at once no more are added than there is room for", async () => {
      const within = { bytesMax: 1_000, since };
      const uploads = Array.from({ length: 30 }, () => makeRecent(150));
      const added = await Promise.all(
        uploads.map((upload) => catalog.insertUpload(upload, within)),
      );
      expect(added.filter(Boolean)).toHaveLength(6);
      const next = await opened.reopen();
      for (const [at, upload] of uploads.entries()) {
        expect((await next.findUpload(upload.id)) !== undefined).toBe(added[at]);
      }
      expect(await next.bytesStillDue(since)).toBe(900);
    });
  });
}
