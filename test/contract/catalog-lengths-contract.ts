import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import {
  completion,
  doomedKeys,
  insertHeld,
  makeAdvance,
  makeApp,
  makeEnd,
  makeExtent,
  makeUpload,
  type OpenCatalog,
  type OpenedCatalog,
} from "./catalog-samples.ts";

/** Lengths that come later, completion that is told, and keys that several blobs name. */
export function describeCatalogLengths(open: OpenCatalog): void {
  describe("lengths and shared keys", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("what other protocols say of an upload is kept as it was said", async () => {
      const upload = makeUpload({
        length: undefined,
        protocol: "tus",
        completes: "when_told",
        concatenates: [makeUpload().id, makeUpload().id],
        sha256: "0a".repeat(32),
      });
      await catalog.insertUpload(upload);
      const next = await opened.reopen();
      expect(await next.findUpload(upload.id)).toEqual(upload);
    });

    test("a length is set by the change that brings it, once", async () => {
      const upload = await insertHeld(catalog, { length: undefined });
      await catalog.advance(makeAdvance(upload, { length: 150 }));
      expect(await catalog.findUpload(upload.id)).toMatchObject({ length: 150, offset: 100 });
      const more = { from: 100, to: 120, extents: [], length: 170 };
      expect(await catalog.advance(makeAdvance(upload, more))).toBe("done");
      const next = await opened.reopen();
      expect(await next.findUpload(upload.id)).toMatchObject({ length: 150, offset: 120 });
    });

    test("what the whole must be is set by the change that brings it, once", async () => {
      const [first, second] = ["0a".repeat(32), "0b".repeat(32)];
      const upload = await insertHeld(catalog);
      await catalog.advance(makeAdvance(upload, { sha256: first }));
      expect(await catalog.findUpload(upload.id)).toMatchObject({ sha256: first });
      const more = { from: 100, to: 120, extents: [], sha256: second };
      expect(await catalog.advance(makeAdvance(upload, more))).toBe("done");
      const next = await opened.reopen();
      expect(await next.findUpload(upload.id)).toMatchObject({ sha256: first, offset: 120 });
    });

    test("an upload of unknown length expires, and nothing is still due of it", async () => {
      const upload = await insertHeld(catalog, { length: undefined, expiresAt: 5_000 });
      await catalog.advance(makeAdvance(upload, { expiresAt: 5_000 }));
      await catalog.releaseLease(upload.id, "first");
      expect(await catalog.bytesStillDue(0)).toBe(0);
      expect(await catalog.listUncompleted(10)).toEqual([]);
      expect(await catalog.expireUploads(5_000, 10)).toEqual([upload.id]);
    });

    test("one that waits to be told is not completed by its length, and expires", async () => {
      const told = { completes: "when_told", length: 100, expiresAt: 5_000 } as const;
      const upload = await insertHeld(catalog, told);
      await catalog.advance(makeAdvance(upload, { expiresAt: 5_000 }));
      await catalog.releaseLease(upload.id, "first");
      expect(await catalog.listUncompleted(10)).toEqual([]);
      expect(await catalog.expireUploads(5_000, 10)).toEqual([upload.id]);
    });

    test("an unknown length counts as nothing within what an app may be promised", async () => {
      await catalog.insertApp(makeApp());
      const within = { bytesMax: 100, since: 0 };
      const of = (length: number | undefined) => makeUpload({ length });
      expect(await catalog.insertUpload(of(90), within)).toBe(true);
      expect(await catalog.insertUpload(of(undefined), within)).toBe(true);
      expect(await catalog.insertUpload(of(11), within)).toBe(false);
      expect(await catalog.insertUpload(of(10), within)).toBe(true);
    });

    test("an upload is completed by the extents of the longest concatenations, or rejected", async () => {
      const extents = Array.from({ length: 12_000 }, (_, index) =>
        makeExtent({ start: index * 100 }),
      );
      const to = extents.length * 100;
      const endings = [
        { state: "complete", completion },
        { state: "rejected", reason: "not a video" },
      ] as const;
      for (const ending of endings) {
        const upload = await insertHeld(catalog);
        expect(await catalog.advance(makeAdvance(upload, { to, extents, ending }))).toBe("done");
        const kept = await catalog.listExtents(upload.blobId);
        expect(kept).toEqual(ending.state === "complete" ? extents : []);
      }
    });

    test("a key that several blobs name is doomed with the last of them", async () => {
      const extent = makeExtent();
      const [first, second] = [await insertHeld(catalog), await insertHeld(catalog)];
      const twice = [extent, { ...extent, start: 100 }];
      await catalog.advance(makeAdvance(first, { extents: [extent] }));
      const ending = { state: "complete", completion } as const;
      await catalog.advance(makeAdvance(second, { to: 200, extents: twice, ending }));
      await catalog.end(makeEnd(first, { state: "cancelled" }));
      expect(await doomedKeys(catalog)).toEqual([]);
      expect(await catalog.listExtents(second.blobId)).toEqual(twice);
      await catalog.releaseLease(second.id, "first");
      const due = await catalog.expireUploads(1e12, 10);
      expect(due).toEqual([second.id]);
      expect(await doomedKeys(catalog)).toEqual([extent.key]);
    });

    test("a key counts as doomed from when the last blob that names it is", async () => {
      const [shared, own] = [makeExtent(), makeExtent({ start: 100 })];
      const [first, second] = [await insertHeld(catalog), await insertHeld(catalog)];
      await catalog.advance(makeAdvance(first, { extents: [shared] }));
      const twice = [shared, own, { ...shared, start: 200 }];
      await catalog.advance(makeAdvance(second, { to: 300, extents: twice }));
      await catalog.end(makeEnd(first, { at: 3_000 }));
      await catalog.end(makeEnd(second, { at: 9_000 }));
      expect(await catalog.listDoomed(8_999, 10)).toEqual([]);
      expect((await catalog.listDoomed(9_000, 10)).sort()).toEqual([shared.key, own.key].sort());
    });

    test.for(["replaced", "rejected"] as const)(
      "so does one that is %s where it was doomed before",
      async (how) => {
        const shared = makeExtent();
        const [first, second] = [await insertHeld(catalog), await insertHeld(catalog)];
        await catalog.advance(makeAdvance(first, { extents: [shared] }));
        await catalog.advance(makeAdvance(second, { extents: [shared] }));
        await catalog.end(makeEnd(first, { at: 3_000 }));
        const ending = { state: "rejected", reason: "not a video" } as const;
        const advance = makeAdvance(second, {
          ...{ from: 100, to: 200, at: 9_000 },
          extents: [makeExtent({ length: 200 })],
          replaced: [shared],
          ending: how === "rejected" ? ending : undefined,
        });
        expect(await catalog.advance(advance)).toBe("done");
        expect(await catalog.listDoomed(8_999, 10)).toEqual([]);
        expect(await catalog.listDoomed(9_000, 10)).toContain(shared.key);
      },
    );
  });
}
