import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import type { Epoch, Extent, Upload } from "../../packages/server/src/catalog/records.ts";
import {
  completion,
  doomedKeys,
  insertHeld,
  makeAdvance,
  makeEnd,
  makeExtent,
  makeFile,
  type OpenCatalog,
  type OpenedCatalog,
} from "./catalog-samples.ts";

/** What a store of many keys needs: epochs, assemblies, replaced extents, and marks to claim. */
export function describeCatalogStore(open: OpenCatalog): void {
  describeEpochs(open);
  describeAssemblies(open);
  describeReplaced(open);
}

function describeEpochs(open: OpenCatalog): void {
  describe("epochs", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    const due = (now: number, closedBefore = now): Promise<Epoch[]> =>
      catalog.listEpochsDue({ now, closedBefore, limit: 10 });

    test("an epoch is kept as it was opened, once, in the order of opening", async () => {
      const upload = await insertHeld(catalog);
      const second = epochOf(upload, { fence: "second", base: 50, openedAt: 2_000 });
      const first = epochOf(upload);
      for (const epoch of [second, first, { ...first, base: 70 }]) await catalog.openEpoch(epoch);
      await catalog.openEpoch(epochOf(upload, { fence: "other", blobId: "elsewhere" }));
      const next = await opened.reopen();
      expect(await next.listEpochs(upload.blobId)).toEqual([first, second]);
    });

    test("an epoch is open while its lease is held, and closed once another is taken", async () => {
      const upload = await insertHeld(catalog);
      const epoch = epochOf(upload);
      await catalog.openEpoch(epoch);
      expect(await due(5_000)).toEqual([]);
      await catalog.takeLease(upload.id, "second");
      // Closed at this look, so that an earlier one does not see it.
      expect(await due(6_000, 5_999)).toEqual([]);
      expect(await due(7_000, 6_000)).toEqual([epoch]);
      expect(await due(7_000, 5_999)).toEqual([]);
    });

    test.for(["released", "completed", "cancelled", "forgotten"] as const)(
      "an epoch is over when its upload is %s",
      async (how) => {
        const upload = await insertHeld(catalog, { length: 100 });
        const epoch = epochOf(upload);
        await catalog.openEpoch(epoch);
        if (how === "completed") {
          await catalog.advance(makeAdvance(upload, { ending: { state: "complete", completion } }));
        }
        if (how === "cancelled" || how === "forgotten") await catalog.end(makeEnd(upload));
        await catalog.releaseLease(upload.id, "first");
        if (how === "forgotten") expect(await catalog.removeEndedUploads(9_000)).toBe(1);
        expect(await due(5_000)).toEqual([epoch]);
      },
    );

    /** An epoch under the claim of an assembly that is current. */
    async function openClaimed(): Promise<{ readonly epoch: Epoch; readonly extents: Extent[] }> {
      const { upload, extents } = await insertParts(catalog);
      await catalog.requestAssembly(upload.blobId, 1_000);
      await catalog.claimAssembly({ now: 1_000, until: 2_000, nonce: "nonce" });
      const epoch = epochOf(upload, { fence: "nonce", uploadId: undefined });
      await catalog.openEpoch(epoch);
      return { epoch, extents };
    }

    test.for(["done", "put off", "given up", "claimed anew"] as const)(
      "an epoch is over when its assembly is %s, even if nobody says so",
      async (how) => {
        const { epoch, extents } = await openClaimed();
        const { blobId } = epoch;
        expect(await due(5_000)).toEqual([]);
        if (how === "done") {
          const assembled = makeExtent({ length: 300 });
          const finish = { blobId, nonce: "nonce", extents, assembled, at: 6_000 };
          expect(await catalog.finishAssembly(finish)).toBe("done");
        }
        if (how === "put off") await catalog.putOffAssembly(blobId, "nonce", 9_000);
        if (how === "given up") await catalog.putOffAssembly(blobId, "nonce", undefined);
        if (how === "claimed anew") {
          await catalog.claimAssembly({ now: 6_000, until: 9_000, nonce: "later" });
        }
        expect(await due(7_000, 6_999)).toEqual([]);
        expect(await due(8_000, 7_000)).toEqual([epoch]);
      },
    );

    test("an epoch of an assembly is closed by name, and at its first closing", async () => {
      const { epoch } = await openClaimed();
      expect(await due(5_000)).toEqual([]);
      await catalog.closeEpoch("nonce", 6_000);
      await catalog.closeEpoch("nonce", 8_000);
      await catalog.closeEpoch("unknown", 6_000);
      expect(await due(9_000, 5_999)).toEqual([]);
      expect(await due(9_000, 6_000)).toEqual([epoch]);
    });

    test("an epoch is looked at again when it is due, and not once it is forgotten", async () => {
      const upload = await insertHeld(catalog);
      const epoch = epochOf(upload, { uploadId: undefined });
      await catalog.openEpoch(epoch);
      await catalog.closeEpoch(epoch.fence, 5_000);
      for (let times = 0; times < 2; times += 1) await catalog.noteEpochLook(epoch.fence, 20_000);
      expect(await due(19_999)).toEqual([]);
      expect(await due(20_000)).toEqual([{ ...epoch, looks: 1 }]);
      await catalog.noteEpochLook(epoch.fence, undefined);
      expect(await due(90_000)).toEqual([]);
      expect(await catalog.listEpochs(upload.blobId)).toEqual([]);
    });

    test("a look that is put off is due later, and counts as none", async () => {
      const upload = await insertHeld(catalog);
      const epoch = epochOf(upload, { uploadId: undefined });
      await catalog.openEpoch(epoch);
      await catalog.closeEpoch(epoch.fence, 5_000);
      await catalog.putOffEpochLook(epoch.fence, 20_000);
      await catalog.putOffEpochLook("unknown", 20_000);
      expect(await due(19_999)).toEqual([]);
      expect(await due(20_000)).toEqual([epoch]);
    });

    test("no more epochs are listed than asked for, the longest closed first", async () => {
      const upload = await insertHeld(catalog);
      for (const [fence, closedAt] of [
        ["late", 7_000],
        ["early", 5_000],
        ["middle", 6_000],
      ] as const) {
        await catalog.openEpoch(epochOf(upload, { fence, uploadId: undefined }));
        await catalog.closeEpoch(fence, closedAt);
      }
      const look = { now: 9_000, closedBefore: 9_000, limit: 2 };
      const fences = (await catalog.listEpochsDue(look)).map(({ fence }) => fence);
      expect(fences).toEqual(["early", "middle"]);
    });
  });
}

function describeAssemblies(open: OpenCatalog): void {
  describe("assemblies", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    const claim = (now: number, nonce: string, until = now + 1_000) =>
      catalog.claimAssembly({ now, until, nonce });

    test("an assembly is claimed once it is due, by one, and again when the claim lapses", async () => {
      await catalog.requestAssembly("blob", 5_000);
      await catalog.requestAssembly("blob", 9_000);
      expect(await claim(4_999, "none")).toBeUndefined();
      const claims = await Promise.all([claim(5_000, "one"), claim(5_000, "two")]);
      expect(claims.filter((each) => each !== undefined)).toHaveLength(1);
      expect(await claim(5_999, "three")).toBeUndefined();
      expect(await claim(6_000, "four")).toEqual({ blobId: "blob", nonce: "four", tries: 2 });
      expect(await claim(6_000, "five")).toBeUndefined();
    });

    test("the assembly that is longest due comes first", async () => {
      await catalog.requestAssembly("later", 6_000);
      await catalog.requestAssembly("sooner", 5_000);
      expect((await claim(9_000, "one"))?.blobId).toBe("sooner");
      expect((await claim(9_000, "two"))?.blobId).toBe("later");
    });

    test("an assembly that is named is claimed, due or not, whoever has it, and no other", async () => {
      await catalog.requestAssembly("longer due", 4_000);
      await catalog.requestAssembly("blob", 5_000);
      const named = (now: number, nonce: string, blobId = "blob") =>
        catalog.claimAssembly({ now, until: now + 1_000, nonce, blobId });
      expect(await named(1_000, "one")).toEqual({ blobId: "blob", nonce: "one", tries: 1 });
      expect(await named(1_500, "two")).toEqual({ blobId: "blob", nonce: "two", tries: 2 });
      await catalog.putOffAssembly("blob", "one", undefined);
      expect(await named(1_500, "none", "unknown")).toBeUndefined();
      expect((await claim(9_000, "three"))?.blobId).toBe("blob");
      expect((await claim(9_000, "four"))?.blobId).toBe("longer due");
    });

    test("what is assembled stands for all extents, whose keys are doomed", async () => {
      const { upload, extents } = await insertParts(catalog);
      await catalog.requestAssembly(upload.blobId, 5_000);
      await claim(5_000, "nonce");
      const assembled = makeExtent({ length: 300, crc32: 7 });
      const finish = { blobId: upload.blobId, nonce: "nonce", extents, assembled, at: 6_000 };
      expect(await catalog.finishAssembly(finish)).toBe("done");
      const next = await opened.reopen();
      expect(await next.listExtents(upload.blobId)).toEqual([assembled]);
      expect(await next.listDoomed(5_999, 10)).toEqual([]);
      expect(await doomedKeys(next)).toEqual(keysOf(extents));
      expect(await next.finishAssembly(finish)).toBe("stale");
      expect(await next.claimAssembly({ now: 99_000, until: 99_000, nonce: "x" })).toBeUndefined();
    });

    test.for(["another nonce", "fewer extents", "a replaced key", "no request"] as const)(
      "an assembly with %s is stale and changes nothing",
      async (what) => {
        const { upload, extents } = await insertParts(catalog);
        if (what !== "no request") await catalog.requestAssembly(upload.blobId, 5_000);
        await claim(5_000, "nonce");
        const nonce = what === "another nonce" ? "other" : "nonce";
        const given: Record<string, Extent[]> = {
          "fewer extents": extents.slice(1),
          "a replaced key": [makeExtent(), ...extents.slice(1)],
        };
        const assembled = makeExtent({ length: 300 });
        const finish = { blobId: upload.blobId, nonce, extents: given[what] ?? extents, assembled };
        expect(await catalog.finishAssembly({ ...finish, at: 6_000 })).toBe("stale");
        expect(await catalog.listExtents(upload.blobId)).toEqual(extents);
        expect(await doomedKeys(catalog)).toEqual([]);
      },
    );

    test("a blob that was doomed meanwhile is not assembled", async () => {
      const { upload, extents } = await insertParts(catalog);
      await catalog.requestAssembly(upload.blobId, 5_000);
      await claim(5_000, "nonce");
      expect(await catalog.expireUploads(50_000, 10)).toEqual([upload.id]);
      const assembled = makeExtent({ length: 300 });
      const finish = { blobId: upload.blobId, nonce: "nonce", extents, assembled, at: 60_000 };
      expect(await catalog.finishAssembly(finish)).toBe("stale");
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
      expect(await doomedKeys(catalog)).toEqual(keysOf(extents));
    });

    test("removing a file that was assembled dooms the one key it has", async () => {
      const { upload, extents } = await insertParts(catalog);
      const file = makeFile(upload);
      await catalog.insertFile(file);
      await catalog.requestAssembly(upload.blobId, 5_000);
      await claim(5_000, "nonce");
      const assembled = makeExtent({ length: 300 });
      const finish = { blobId: upload.blobId, nonce: "nonce", extents, assembled, at: 6_000 };
      expect(await catalog.finishAssembly(finish)).toBe("done");
      expect(await catalog.removeFile(file.id, 7_000)).toBe(true);
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
      expect(await doomedKeys(catalog)).toEqual(keysOf([...extents, assembled]));
    });

    test("a claim that is given back is due at its time, or never, for its owner alone", async () => {
      await catalog.requestAssembly("blob", 5_000);
      await claim(5_000, "one");
      await catalog.putOffAssembly("blob", "other", undefined);
      await catalog.putOffAssembly("blob", "one", 5_500);
      expect(await claim(5_499, "two")).toBeUndefined();
      expect(await claim(5_500, "two")).toEqual({ blobId: "blob", nonce: "two", tries: 2 });
      await catalog.putOffAssembly("blob", "one", undefined);
      await catalog.putOffAssembly("blob", "two", undefined);
      expect(await claim(99_000, "three")).toBeUndefined();
    });
  });
}

function describeReplaced(open: OpenCatalog): void {
  describe("replaced extents and claimed marks", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("replaced extents are forgotten and their keys doomed in the same change", async () => {
      const upload = await insertHeld(catalog);
      const [first, second, third] = [0, 100, 200].map((start) => makeExtent({ start })) as [
        Extent,
        Extent,
        Extent,
      ];
      await catalog.advance(makeAdvance(upload, { to: 300, extents: [first, second, third] }));
      const inline = makeExtent({ key: "", start: 300, length: 1, inline: Uint8Array.of(1) });
      await catalog.advance(makeAdvance(upload, { from: 300, to: 301, extents: [inline] }));
      const merged = makeExtent({ start: 100, length: 301 });
      const replaced = [second, third, inline];
      const advance = { from: 301, to: 401, extents: [merged], replaced };
      const stale = makeAdvance(upload, { ...advance, fence: "other" });
      expect(await catalog.advance(stale)).toBe("stale");
      expect(await catalog.listExtents(upload.blobId)).toEqual([first, second, third, inline]);
      expect(await doomedKeys(catalog)).toEqual([]);
      expect(await catalog.advance(makeAdvance(upload, advance))).toBe("done");
      expect(await catalog.listExtents(upload.blobId)).toEqual([first, merged]);
      expect(await doomedKeys(catalog)).toEqual(keysOf([second, third]));
    });

    test("a rejecting advance dooms what it brings, what it replaces and what was there", async () => {
      const upload = await insertHeld(catalog);
      const [first, second] = [makeExtent(), makeExtent({ start: 100 })];
      await catalog.advance(makeAdvance(upload, { to: 200, extents: [first, second] }));
      const merged = makeExtent({ start: 100, length: 200 });
      const ending = { state: "rejected", reason: "not a video" } as const;
      const advance = { from: 200, to: 300, extents: [merged], replaced: [second], ending };
      expect(await catalog.advance(makeAdvance(upload, advance))).toBe("done");
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
      expect(await doomedKeys(catalog)).toEqual(keysOf([first, second, merged]));
    });

    test("of several who claim a mark the first wins, and it can still be written", async () => {
      const claims = await Promise.all(
        ["one", "two", "three"].map((value) => catalog.claimMark("deployment", value)),
      );
      expect(new Set(claims).size).toBe(1);
      expect(await catalog.claimMark("deployment", "four")).toBe(claims[0]);
      await catalog.writeMark("deployment", "five");
      expect(await (await opened.reopen()).claimMark("deployment", "six")).toBe("five");
    });
  });
}

function epochOf(upload: Upload, changes: Partial<Epoch> = {}): Epoch {
  return {
    fence: "first",
    blobId: upload.blobId,
    uploadId: upload.id,
    base: 0,
    openedAt: 1_200,
    looks: 0,
    ...changes,
  };
}

/** A complete upload of three extents that nobody holds. */
async function insertParts(catalog: Catalog): Promise<{ upload: Upload; extents: Extent[] }> {
  const held = await insertHeld(catalog, { length: 300 });
  const extents = [0, 100, 200].map((start) => makeExtent({ start }));
  const ending = { state: "complete", completion } as const;
  await catalog.advance(makeAdvance(held, { to: 300, extents, ending }));
  await catalog.releaseLease(held.id, "first");
  const upload = await catalog.findUpload(held.id);
  if (upload === undefined) throw new Error("the upload is gone");
  return { upload, extents };
}

function keysOf(extents: readonly Extent[]): string[] {
  return extents.map(({ key }) => key).sort();
}
