import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BlobOwner, Catalog } from "../../packages/server/src/catalog/catalog.ts";
import type { PublishedFile } from "../../packages/server/src/catalog/records.ts";
import {
  doomedKeys,
  insertComplete,
  insertHeld,
  makeApp,
  makeAdvance,
  makeEnd,
  makeFile,
  makeToken,
  makeUpload,
  type OpenCatalog,
  type OpenedCatalog,
} from "./catalog-samples.ts";

/** Files, apps, tokens and marks. */
export function describeCatalogRecords(open: OpenCatalog): void {
  describeFiles(open);
  describeAccess(open);
}

function describeFiles(open: OpenCatalog): void {
  describe("files", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("a file of a complete upload is found by its id and by its upload", async () => {
      const { upload } = await insertComplete(catalog);
      const file = makeFile(upload, { description: undefined });
      expect(await catalog.insertFile(file)).toEqual(file);
      const next = await opened.reopen();
      expect(await next.findFile(file.id)).toEqual(file);
      expect(await next.findFileOfUpload(upload.id)).toEqual(file);
      expect(await next.findFile("1")).toBeUndefined();
      expect(await next.findFileOfUpload("nobody")).toBeUndefined();
    });

    test("publishing an upload again, even at once, returns the file that it has", async () => {
      const { upload } = await insertComplete(catalog);
      const results = await Promise.all(
        Array.from({ length: 5 }, () => catalog.insertFile(makeFile(upload))),
      );
      expect(results[0]).toBeDefined();
      for (const result of results) expect(result).toEqual(results[0]);
      expect(await catalog.listFiles({ appId: "1001", after: undefined, limit: 10 })).toHaveLength(
        1,
      );
    });

    test("an upload that is not complete cannot be published", async () => {
      const upload = await insertHeld(catalog);
      expect(await catalog.insertFile(makeFile(upload))).toBeUndefined();
      await catalog.end(makeEnd(upload));
      expect(await catalog.insertFile(makeFile(upload))).toBeUndefined();
      const { upload: expired } = await insertComplete(catalog);
      await catalog.expireUploads(50_000, 10);
      expect(await catalog.insertFile(makeFile(expired))).toBeUndefined();
      expect(await catalog.listFiles({ appId: "1001", after: undefined, limit: 10 })).toEqual([]);
    });

    test("removing a file ends its upload and dooms its bytes, once", async () => {
      const { upload, key } = await insertComplete(catalog);
      const file = makeFile(upload);
      await catalog.insertFile(file);
      const removals = await Promise.all([
        catalog.removeFile(file.id, 6_000),
        catalog.removeFile(file.id, 6_000),
      ]);
      expect(removals.sort()).toEqual([false, true]);
      expect(await catalog.removeFile(file.id, 6_000)).toBe(false);
      expect(await catalog.findFile(file.id)).toBeUndefined();
      expect((await catalog.findUpload(upload.id))?.state).toBe("expired");
      expect(await doomedKeys(catalog)).toEqual([key]);
      expect(await catalog.listExtents(upload.blobId)).toEqual([]);
      expect(await catalog.insertFile(makeFile(upload))).toBeUndefined();
    });

    test("removing a file whose upload has expired still dooms its bytes", async () => {
      const { upload, key } = await insertComplete(catalog);
      const file = makeFile(upload);
      await catalog.insertFile(file);
      await catalog.expireUploads(50_000, 10);
      await catalog.removeEndedUploads(60_000);
      expect(await catalog.findUpload(upload.id)).toBeUndefined();
      expect(await catalog.removeFile(file.id, 70_000)).toBe(true);
      expect(await doomedKeys(catalog)).toEqual([key]);
    });

    test("a file's SHA-256 is kept once it is known", async () => {
      const { upload } = await insertComplete(catalog);
      const file = makeFile(upload);
      await catalog.insertFile(file);
      const sha256 = "ab".repeat(32);
      await catalog.setFileSha256(file.id, sha256);
      expect(await catalog.findFile(file.id)).toEqual({ ...file, sha256 });
    });

    test("the SHA-256 of a complete upload is kept once, and none of an open one", async () => {
      const { upload } = await insertComplete(catalog);
      const open = makeUpload();
      await catalog.insertUpload(open);
      for (const sha256 of ["ab".repeat(32), "cd".repeat(32)]) {
        await catalog.setUploadSha256(upload.id, sha256);
        await catalog.setUploadSha256(open.id, sha256);
      }
      expect((await catalog.findUpload(upload.id))?.sha256).toBe("ab".repeat(32));
      expect((await catalog.findUpload(open.id))?.sha256).toBeUndefined();
    });

    test("files without a SHA-256 are listed of the apps alone that want it unasked", async () => {
      await catalog.insertApp(makeApp({ id: "1001", digestPolicy: "on_publish" }));
      await catalog.insertApp(makeApp({ id: "1002", digestPolicy: "on_request" }));
      await catalog.insertApp(makeApp({ id: "1003", digestPolicy: "on_publish" }));
      await insertComplete(catalog);
      const ids: string[] = [];
      for (const appId of ["1001", "1001", "1002", "1003"]) {
        const file = makeFile((await insertComplete(catalog, { appId })).upload);
        await catalog.insertFile(file);
        ids.push(file.id);
      }
      const [first, second, foreign, third] = ids as [string, string, string, string];
      const due = async (): Promise<string[]> =>
        (await catalog.listUndigested(10)).map(({ id }) => id).sort();
      expect(await due()).toEqual([first, second, third].sort());
      expect(await catalog.listUndigested(2)).toHaveLength(2);
      await catalog.setFileSha256(first, "ab".repeat(32));
      await catalog.removeFile(second, 6_000);
      expect(await due()).toEqual([third]);
      await catalog.updateApp("1003", { digestPolicy: "on_request" });
      await catalog.updateApp("1002", { digestPolicy: "on_publish" });
      expect(await due()).toEqual([foreign]);
    });

    test("pages of files go newest first and neither skip nor repeat", async () => {
      const ids: string[] = [];
      for (let index = 0; index < 7; index += 1) {
        const { upload } = await insertComplete(catalog);
        const file = makeFile(upload, { createdAt: 4_000 + Math.floor(index / 3) });
        await catalog.insertFile(file);
        ids.push(file.id);
      }
      const other = await insertComplete(catalog, { appId: "1002" });
      await catalog.insertFile(makeFile(other.upload));
      const seen: PublishedFile[] = [];
      for (let after: PublishedFile | undefined; ; after = seen.at(-1)) {
        const page = await catalog.listFiles({ appId: "1001", after, limit: 2 });
        if (page.length === 0) break;
        seen.push(...page);
      }
      expect(seen.map(({ id }) => id).sort()).toEqual(ids.sort());
      const times = seen.map(({ createdAt }) => createdAt);
      expect(times).toEqual([...times].sort((one, next) => next - one));
    });

    test("whoever removes the files of each page before the next one is asked for sees them all", async () => {
      const ids: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        const { upload } = await insertComplete(catalog);
        const file = makeFile(upload, { createdAt: 4_000 + Math.floor(index / 2) });
        await catalog.insertFile(file);
        ids.push(file.id);
      }
      const seen: PublishedFile[] = [];
      for (;;) {
        const after = seen.at(-1);
        const page = await catalog.listFiles({ appId: "1001", after, limit: 2 });
        if (page.length === 0) break;
        for (const { id } of page) await catalog.removeFile(id, 6_000);
        seen.push(...page);
      }
      expect(seen.map(({ id }) => id).sort()).toEqual(ids.sort());
    });

    test("every blob with extents is listed in order, with whoever owns it", async () => {
      const published = await insertComplete(catalog);
      const file = makeFile(published.upload);
      await catalog.insertFile(file);
      const { upload: complete } = await insertComplete(catalog);
      const held = await insertHeld(catalog);
      await catalog.advance(makeAdvance(held));
      await insertHeld(catalog);
      const expected: BlobOwner[] = [
        { blobId: published.upload.blobId, upload: published.upload, file },
        { blobId: complete.blobId, upload: complete, file: undefined },
        { blobId: held.blobId, upload: await catalog.findUpload(held.id), file: undefined },
      ].sort((one, other) => (one.blobId < other.blobId ? -1 : 1));
      const seen: BlobOwner[] = [];
      for (let after = ""; ; after = seen.at(-1)?.blobId ?? "") {
        const page = await catalog.listBlobs(after, 2);
        if (page.length === 0) break;
        seen.push(...page);
      }
      expect(seen).toEqual(expected);
    });
  });
}

function describeAccess(open: OpenCatalog): void {
  describe("apps, tokens and marks", () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;

    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.dispose());

    test("an app is inserted once and found as it was", async () => {
      const app = makeApp();
      expect(await catalog.insertApp(app)).toBe(true);
      expect(await catalog.insertApp({ ...app, name: "Other" })).toBe(false);
      expect(await (await opened.reopen()).findApp(app.id)).toEqual(app);
    });

    test("an app that exists can be changed, and one that does not cannot", async () => {
      const app = makeApp();
      expect(await catalog.updateApp(app.id, { name: "Renamed" })).toBe(false);
      expect(await catalog.findApp(app.id)).toBeUndefined();
      const other = makeApp({ id: "1002" });
      for (const each of [other, app]) await catalog.insertApp(each);
      const policies = { contentPolicy: "off", digestPolicy: "on_publish" } as const;
      const caps = { lengthMax: 5, roomBytesMax: 2 ** 50 };
      const sealedSecret = Uint8Array.of(7, 0, 255);
      const names = { name: "Renamed", types: [], sealedSecret };
      const changes = { ...names, ...caps, ...policies, lifetimeMs: 3_000 };
      expect(await catalog.updateApp(app.id, changes)).toBe(true);
      expect(await catalog.listApps()).toEqual([{ ...app, ...changes }, other]);
      expect(await catalog.updateApp(app.id, { roomBytesMax: null })).toBe(true);
      const uncapped = { ...app, ...changes, roomBytesMax: undefined };
      expect(await catalog.findApp(app.id)).toEqual(uncapped);
    });

    test("a change of an app leaves all alone that it does not name", async () => {
      const app = makeApp({ roomBytesMax: 9 });
      await catalog.insertApp(app);
      expect(await catalog.updateApp(app.id, {})).toBe(true);
      expect(await catalog.updateApp(app.id, { name: undefined })).toBe(true);
      expect(await catalog.findApp(app.id)).toEqual(app);
      const sealedSecret = Uint8Array.of(7, 0, 255);
      const changes = [{ sealedSecret }, { lengthMax: 5 }, { name: "Renamed" }];
      await Promise.all(changes.map((change) => catalog.updateApp(app.id, change)));
      const changed = { ...app, sealedSecret, lengthMax: 5, name: "Renamed" };
      expect(await (await opened.reopen()).findApp(app.id)).toEqual(changed);
    });

    test("a token is found by its hash alone", async () => {
      const token = makeToken({ expiresAt: 7_000 });
      await catalog.insertToken(token);
      const next = await opened.reopen();
      expect(await next.findToken(token.hash)).toEqual(token);
      expect(await next.findToken(makeToken().hash)).toBeUndefined();
    });

    test("a second token of the same hash is refused", async () => {
      const token = makeToken();
      await catalog.insertToken(token);
      await expect(catalog.insertToken(makeToken({ hash: token.hash }))).rejects.toThrow();
      expect(await catalog.listTokens(undefined)).toEqual([token]);
    });

    test("tokens are listed oldest first, of one app or of all", async () => {
      const newer = makeToken({ createdAt: 2_000 });
      const older = makeToken({ createdAt: 1_000 });
      const foreign = makeToken({ createdAt: 1_500, appId: "1002" });
      for (const token of [newer, older, foreign]) await catalog.insertToken(token);
      expect(await catalog.listTokens("1001")).toEqual([older, newer]);
      expect(await catalog.listTokens(undefined)).toEqual([older, foreign, newer]);
      expect(await catalog.listTokens("1003")).toEqual([]);
    });

    test("a token is revoked once, and the first time stays", async () => {
      const token = makeToken();
      await catalog.insertToken(token);
      expect(await catalog.revokeToken("nobody", 5_000)).toBe(false);
      expect(await catalog.revokeToken(token.id, 5_000)).toBe(true);
      expect(await catalog.revokeToken(token.id, 6_000)).toBe(false);
      expect(await catalog.findToken(token.hash)).toEqual({ ...token, revokedAt: 5_000 });
    });

    test("a mark keeps the last value written, through reopening", async () => {
      expect(await catalog.readMark("clean")).toBeUndefined();
      await catalog.writeMark("clean", "no");
      await catalog.writeMark("clean", "yes");
      await catalog.writeMark("other", "");
      const next = await opened.reopen();
      expect(await next.readMark("clean")).toBe("yes");
      expect(await next.readMark("other")).toBe("");
    });

    test("a mark that is raised only goes up, by its number, whoever comes last", async () => {
      for (const count of [9, 10, 2, 10]) await catalog.raiseMark("sweeps", count);
      expect(await catalog.readMark("sweeps")).toBe("10");
      const counts = Array.from({ length: 20 }, (_, index) => 2 ** 40 - index);
      await Promise.all(counts.map((count) => catalog.raiseMark("sweeps", count)));
      expect(await (await opened.reopen()).readMark("sweeps")).toBe(String(2 ** 40));
    });
  });
}
