import { mkdtemp, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { HotQueries } from "../../packages/server/src/catalog/hot-queries.ts";
import { undigestedFiles } from "../../packages/server/src/catalog/queries.ts";
import {
  openForReading,
  openForWriting,
} from "../../packages/server/src/catalog/sqlite-database.ts";
import { kyselyOver } from "../../packages/server/src/catalog/sqlite-kysely.ts";
import { SqliteCatalog } from "../../packages/server/src/catalog/sqlite.ts";
import { fastDirectory } from "../support/fast-directory.ts";
import { describeCatalog } from "./catalog-contract.ts";
import { makeUpload } from "./catalog-samples.ts";

async function openInTemporaryDirectory() {
  const directory = await mkdtemp(path.join(await fastDirectory(), "hawser-catalog-"));
  const file = path.join(directory, "catalog.db");
  const failures: Error[] = [];
  const open = () => SqliteCatalog.open(file, (error) => failures.push(error));
  const catalog = await open();
  let current = catalog;
  return {
    catalog,
    file,
    reopen: async () => {
      await current.close();
      current = await open();
      return current;
    },
    dispose: async () => {
      await current.close();
      const left = await readdir(directory);
      await rm(directory, { recursive: true });
      expect(failures).toEqual([]);
      const own = new Set(["catalog.db", "catalog.db-wal", "catalog.db-shm"]);
      expect(left.filter((name) => !own.has(name))).toEqual([]);
    },
  };
}

describeCatalog("the SQLite catalog", openInTemporaryDirectory);

test("a catalog opened again keeps its log and syncs every commit", async () => {
  const opened = await openInTemporaryDirectory();
  const upload = makeUpload();
  await opened.catalog.insertUpload(upload);
  await opened.catalog.close();
  const database = await openForWriting(opened.file);
  expect(database.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(database.prepare("pragma synchronous").get()).toEqual({ synchronous: 2 });
  database.close();
  const next = await SqliteCatalog.open(opened.file, () => undefined);
  expect(await next.findUpload(upload.id)).toEqual(upload);
  await next.close();
  await rm(path.dirname(opened.file), { recursive: true });
});

test("what apps' settings ask of the rows is found by index, however many rows there are", async () => {
  const opened = await openInTemporaryDirectory();
  const database = openForReading(opened.file);
  const planOf = (sql: string): string =>
    database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
      .join("; ");
  const db = kyselyOver(database);
  const insert = new HotQueries(db).insertUploadWithin;
  expect(planOf(insert.sql)).toMatch(
    /SEARCH uploads USING INDEX uploads_open_by_app \(app_id=\?\)/,
  );
  const undigested = planOf(undigestedFiles(db, 1).compile().sql);
  expect(undigested).toMatch(/SEARCH apps USING .*INDEX apps_by_digest_policy/);
  expect(undigested).toMatch(/SEARCH files USING INDEX files_undigested \(app_id=\?\)/);
  for (const plan of [planOf(insert.sql), undigested]) expect(plan).not.toContain("SCAN uploads");
  expect(undigested).not.toContain("SCAN");
  database.close();
  await opened.dispose();
});
