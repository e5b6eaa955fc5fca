import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import type { Upload } from "../../packages/server/src/catalog/records.ts";
import { describeCatalogEnds } from "./catalog-ends-contract.ts";
import { describeCatalogLengths } from "./catalog-lengths-contract.ts";
import { describeCatalogRecords } from "./catalog-records-contract.ts";
import { describeCatalogRoom } from "./catalog-room-contract.ts";
import { describeCatalogStore } from "./catalog-store-contract.ts";
import {
  completion,
  doomedKeys,
  insertComplete,
  insertHeld,
  makeAdvance,
  makeEnd,
  makeExtent,
  makeUpload,
  type OpenCatalog,
  type OpenedCatalog,
} from "./catalog-samples.ts";

/** What every catalog does, whatever it keeps its rows in. */
export function describeCatalog(name: string, open: OpenCatalog): void {
  describe(name, () => {
    describeUploads(open);
    describeLeases(open);
    describeAdvances(open);
    describeCatalogEnds(open);
    describeCatalogLengths(open);
    describeCatalogRecords(open);
    describeCatalogRoom(open);
    describeCatalogStore(open);
  });
}

function describeUploads(open: OpenCatalog): void {
  describe("uploads", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("an upload is found exactly as it was inserted, also by the next process", async () => {
      const upload = makeUpload();
      await catalog.insertUpload(upload);
      expect(await catalog.findUpload(upload.id)).toEqual(upload);
      const next = await opened.reopen();
      expect(await next.findUpload(upload.id)).toEqual(upload);
    });

    test("an unknown upload is not found", async () => {
      expect(await catalog.findUpload("nobody")).toBeUndefined();
      expect(await catalog.listExtents("nobody")).toEqual([]);
    });

    test("a second upload of the same id is refused and the first stays as it is", async () => {
      const upload = makeUpload();
      await catalog.insertUpload(upload);
      await expect(catalog.insertUpload({ ...upload, name: "other" })).rejects.toThrow();
      expect(await catalog.findUpload(upload.id)).toEqual(upload);
    });

    test("a refused insert does not take its neighbours down", async () => {
      const upload = makeUpload();
      const neighbours = Array.from({ length: 10 }, () => makeUpload());
      await catalog.insertUpload(upload);
      const results = await Promise.allSettled(
        [...neighbours.slice(0, 5), upload, ...neighbours.slice(5)].map((each) =>
          catalog.insertUpload(each),
        ),
      );
      expect(results.filter((result) => result.status === "rejected")).toHaveLength(1);
      for (const each of neighbours) expect(await catalog.findUpload(each.id)).toEqual(each);
    });

    test("pages of uploads go newest first and neither skip nor repeat", async () => {
      // Three of each time, so that pages of two break between uploads of the same time.
      const uploads = Array.from({ length: 15 }, (_, index) =>
        makeUpload({ createdAt: 1_000 + Math.floor(index / 3) }),
      );
      for (const upload of uploads) await catalog.insertUpload(upload);
      await catalog.insertUpload(makeUpload({ appId: "1002" }));
      const seen: Upload[] = [];
      for (let after: Upload | undefined; ; after = seen.at(-1)) {
        const query = { appId: "1001", state: undefined, after, limit: 2 };
        const page = await catalog.listUploads(query);
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(2);
        seen.push(...page);
        // What is newer than the place reached does not disturb the pages that are left.
        await catalog.insertUpload(makeUpload({ createdAt: 9_000 }));
      }
      expect(seen.map((upload) => upload.id).sort()).toEqual(uploads.map(({ id }) => id).sort());
      const times = seen.map((upload) => upload.createdAt);
      expect(times).toEqual([...times].sort((one, other) => other - one));
    });

    test("a page of uploads begins where the one before ended, though that upload is forgotten", async () => {
      const held: Upload[] = [];
      for (let index = 0; index < 5; index += 1) {
        held.push(await insertHeld(catalog, { createdAt: 1_000 + Math.floor(index / 2) }));
      }
      const query = { appId: "1001", state: undefined, limit: 2 };
      const seen = await catalog.listUploads({ ...query, after: undefined });
      for (const upload of seen) await catalog.end(makeEnd(upload));
      expect(await catalog.removeEndedUploads(3_001)).toBe(2);
      for (;;) {
        const page = await catalog.listUploads({ ...query, after: seen.at(-1) });
        if (page.length === 0) break;
        seen.push(...page);
      }
      expect(seen.map(({ id }) => id).sort()).toEqual(held.map(({ id }) => id).sort());
    });

    test("a list of one state shows no other", async () => {
      const { upload: complete } = await insertComplete(catalog);
      const openUpload = makeUpload();
      await catalog.insertUpload(openUpload);
      const list = async (state: "open" | "complete" | "damaged"): Promise<string[]> =>
        (await catalog.listUploads({ appId: "1001", state, after: undefined, limit: 10 })).map(
          ({ id }) => id,
        );
      expect(await list("complete")).toEqual([complete.id]);
      expect(await list("open")).toEqual([openUpload.id]);
      expect(await list("damaged")).toEqual([]);
    });

    test("open uploads of all apps come in pages, the most recently changed first", async () => {
      const times = [5_000, 7_000, 5_000, 6_000, 5_000];
      const open = times.map((updatedAt, index) =>
        makeUpload({ updatedAt, appId: index === 3 ? "2002" : "1001" }),
      );
      for (const upload of open) await catalog.insertUpload(upload);
      await insertComplete(catalog, { updatedAt: 9_000 });
      const seen: Upload[] = [];
      for (;;) {
        const page = await catalog.listOpen({ appId: undefined, after: seen.at(-1), limit: 2 });
        expect(page.length).toBeLessThanOrEqual(2);
        if (page.length === 0) break;
        seen.push(...page);
        await catalog.insertUpload(makeUpload({ updatedAt: 8_000 }));
      }
      const newestFirst = open.toSorted((one, other) =>
        one.updatedAt === other.updatedAt
          ? other.id.localeCompare(one.id)
          : other.updatedAt - one.updatedAt,
      );
      expect(seen).toEqual(newestFirst);
      const own = await catalog.listOpen({ appId: "2002", after: undefined, limit: 9 });
      expect(own).toEqual([open[3]]);
    });

    test("uploads are counted by their state, states of none included", async () => {
      const none = { open: 0, complete: 0, rejected: 0, cancelled: 0, expired: 0, damaged: 0 };
      expect(await catalog.countUploads()).toEqual(none);
      for (let count = 0; count < 3; count += 1) await insertHeld(catalog);
      await insertComplete(catalog);
      await catalog.end(makeEnd(await insertHeld(catalog), { state: "damaged" }));
      expect(await catalog.countUploads()).toEqual({ ...none, open: 3, complete: 1, damaged: 1 });
    });

    test("what this process writes is held by no other", async () => {
      const upload = await insertHeld(catalog);
      expect(await catalog.heldElsewhere([upload.id, "nobody"])).toEqual(new Set());
      expect(await catalog.heldElsewhere([])).toEqual(new Set());
    });

    test("open uploads changed since a time are listed, the time itself included", async () => {
      const before = makeUpload({ updatedAt: 4_999 });
      const at = makeUpload({ updatedAt: 5_000 });
      for (const upload of [before, at]) await catalog.insertUpload(upload);
      await insertComplete(catalog, { updatedAt: 9_000 });
      expect(await catalog.listOpenSince(5_000)).toEqual([at]);
    });

    test("open uploads that have all their bytes are listed until they are completed", async () => {
      const upload = await insertHeld(catalog, { length: 100 });
      await insertHeld(catalog, { length: 101 });
      await insertComplete(catalog);
      expect(await catalog.listUncompleted(10)).toEqual([]);
      await catalog.advance(makeAdvance(upload));
      expect((await catalog.listUncompleted(10)).map(({ id }) => id)).toEqual([upload.id]);
      expect(await catalog.listUncompleted(0)).toEqual([]);
      const ending = { state: "complete", completion } as const;
      const finish = makeAdvance(upload, { from: 100, to: 100, extents: [], ending });
      expect(await catalog.advance(finish)).toBe("done");
      expect(await catalog.listUncompleted(10)).toEqual([]);
    });
  });
}

function describeLeases(open: OpenCatalog): void {
  describe("leases", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("taking a lease decides who may commit and returns what is committed", async () => {
      const upload = await insertHeld(catalog);
      await catalog.advance(makeAdvance(upload));
      const taken = await catalog.takeLease(upload.id, "second");
      expect(taken).toEqual(await catalog.findUpload(upload.id));
      expect(taken?.offset).toBe(100);
      const late = makeAdvance(upload, { from: 100, to: 200, extents: [] });
      expect(await catalog.advance(late)).toBe("stale");
      expect(await catalog.advance({ ...late, fence: "second" })).toBe("done");
    });

    test("a commit called before the lease is taken shows in what taking it returns", async () => {
      const upload = await insertHeld(catalog);
      const [before, taken, after] = await Promise.all([
        catalog.advance(makeAdvance(upload)),
        catalog.takeLease(upload.id, "second"),
        catalog.advance(makeAdvance(upload, { from: 100, to: 200 })),
      ]);
      expect(before).toBe("done");
      expect(taken?.offset).toBe(100);
      expect(after).toBe("stale");
    });

    test("the lease of an unknown upload is not given, and none is kept", async () => {
      expect(await catalog.takeLease("nobody", "first")).toBeUndefined();
      const upload = makeUpload({ id: "nobody" });
      await catalog.insertUpload(upload);
      expect(await catalog.advance(makeAdvance(upload))).toBe("stale");
    });

    test("a stale release does not free a newer lease", async () => {
      const upload = await insertHeld(catalog);
      await catalog.takeLease(upload.id, "second");
      await catalog.releaseLease(upload.id, "first");
      expect(await catalog.expireUploads(50_000, 10)).toEqual([]);
      expect(await catalog.advance(makeAdvance(upload, { fence: "second" }))).toBe("done");
    });

    test("nobody may commit after a release, and releasing again changes nothing", async () => {
      const upload = await insertHeld(catalog);
      await catalog.releaseLease(upload.id, "first");
      await catalog.releaseLease(upload.id, "first");
      expect(await catalog.advance(makeAdvance(upload))).toBe("stale");
      expect(await catalog.findUpload(upload.id)).toEqual(upload);
    });

    test("no lease outlives its process", async () => {
      const upload = await insertHeld(catalog);
      const next = await opened.reopen();
      expect(await next.advance(makeAdvance(upload))).toBe("stale");
      expect(await next.findUpload(upload.id)).toEqual(upload);
    });
  });
}

function describeAdvances(open: OpenCatalog): void {
  describe("advances", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("an advance moves the offset and adds its extents, durably", async () => {
      const upload = await insertHeld(catalog);
      const advance = makeAdvance(upload);
      expect(await catalog.advance(advance)).toBe("done");
      const next = await opened.reopen();
      expect(await next.findUpload(upload.id)).toEqual({
        ...upload,
        offset: 100,
        crc32: advance.crc32,
        updatedAt: advance.at,
        expiresAt: advance.expiresAt,
      });
      expect(await next.listExtents(upload.blobId)).toEqual(advance.extents);
    });

    test.for([
      ["a stale fence", { fence: "other" }],
      ["an offset behind", { from: 50 }],
      ["an offset ahead", { from: 150, to: 200 }],
      ["an unknown upload", { id: "nobody" }],
    ] as const)("an advance with %s is stale and changes nothing", async ([, changes]) => {
      const upload = await insertHeld(catalog);
      await catalog.advance(makeAdvance(upload));
      const before = await catalog.findUpload(upload.id);
      const extents = await catalog.listExtents(upload.blobId);
      const next = makeAdvance(upload, {
        from: 100,
        to: 200,
        extents: [makeExtent({ start: 100 })],
      });
      expect(await catalog.advance({ ...next, ...changes })).toBe("stale");
      const ending = { state: "complete", completion } as const;
      expect(await catalog.advance({ ...next, ...changes, ending })).toBe("stale");
      const rejected = { state: "rejected", reason: "not a video" } as const;
      expect(await catalog.advance({ ...next, ...changes, ending: rejected })).toBe("stale");
      expect(await catalog.findUpload(upload.id)).toEqual(before);
      expect(await catalog.listExtents(upload.blobId)).toEqual(extents);
      expect(await doomedKeys(catalog)).toEqual([]);
    });

    test("an advance of an ended upload is stale and changes nothing", async () => {
      const { upload, key } = await insertComplete(catalog);
      await catalog.takeLease(upload.id, "second");
      const late = makeAdvance(upload, { fence: "second", from: 100, to: 200 });
      expect(await catalog.advance(late)).toBe("stale");
      expect(await catalog.findUpload(upload.id)).toEqual(upload);
      expect((await catalog.listExtents(upload.blobId)).map((extent) => extent.key)).toEqual([key]);
    });

    test("an extent of the same start grows in place, and others are kept in order", async () => {
      const upload = await insertHeld(catalog);
      const first = makeExtent();
      await catalog.advance(makeAdvance(upload, { extents: [first] }));
      const grown = { ...first, length: 150, crc32: 1 };
      const second = makeExtent({ start: 150, length: 50 });
      const third = makeExtent({
        key: "",
        start: 200,
        length: 3,
        inline: Uint8Array.of(0, 9, 255),
      });
      const extents = [third, grown, second];
      const advance = makeAdvance(upload, { from: 100, to: 203, extents });
      expect(await catalog.advance(advance)).toBe("done");
      expect(await catalog.listExtents(upload.blobId)).toEqual([grown, second, third]);
    });

    test("a completion is kept through reopening and dooms nothing", async () => {
      const { upload, key } = await insertComplete(catalog);
      expect(upload).toMatchObject({ state: "complete", offset: 100, completion });
      const next = await opened.reopen();
      expect(await next.findUpload(upload.id)).toEqual(upload);
      expect((await next.listExtents(upload.blobId)).map((extent) => extent.key)).toEqual([key]);
      expect(await doomedKeys(next)).toEqual([]);
    });

    test("a rejecting advance keeps the reason and dooms the bytes in the same change", async () => {
      const upload = await insertHeld(catalog);
      const [first, second] = [makeExtent(), makeExtent({ start: 100 })];
      await catalog.advance(makeAdvance(upload, { extents: [first] }));
      const ending = { state: "rejected", reason: "not a video" } as const;
      const advance = makeAdvance(upload, { from: 100, to: 200, extents: [second], ending });
      expect(await catalog.advance(advance)).toBe("done");
      expect(await catalog.findUpload(upload.id)).toMatchObject({
        ...ending,
        offset: 200,
        completion: undefined,
      });
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
      expect(await doomedKeys(catalog)).toEqual([first.key, second.key].sort());
    });

    test("advances of one caller take effect in the order of their calls", async () => {
      const upload = await insertHeld(catalog);
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          catalog.advance(
            makeAdvance(upload, { from: index * 10, to: index * 10 + 10, extents: [] }),
          ),
        ),
      );
      expect(new Set(outcomes)).toEqual(new Set(["done"]));
      expect((await catalog.findUpload(upload.id))?.offset).toBe(200);
    });

    test("of many advances at once only the stale one changes nothing", async () => {
      const uploads = await Promise.all(Array.from({ length: 60 }, () => insertHeld(catalog)));
      const outcomes = await Promise.all(
        uploads.map((upload, index) =>
          // The right fence and a wrong offset: it is undone in the middle of the group.
          catalog.advance(makeAdvance(upload, index === 30 ? { from: 7 } : {})),
        ),
      );
      expect(outcomes).toEqual(uploads.map((_, index) => (index === 30 ? "stale" : "done")));
      const next = await opened.reopen();
      for (const [index, upload] of uploads.entries()) {
        expect((await next.findUpload(upload.id))?.offset).toBe(index === 30 ? 0 : 100);
        expect(await next.listExtents(upload.blobId)).toHaveLength(index === 30 ? 0 : 1);
      }
    });
  });
}
