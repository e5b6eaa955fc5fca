import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hawser } from "../contenders/hawser.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { uploadMany } from "./small-uploads.ts";

const uploadsInCatalog = 1_000_000;
const measuredUploads = 2_000;

/** Whether a deployment gets slower with age. */
export const fullCatalog: Figure = {
  name: "full-catalog",
  title: "create and append with 1,000,000 uploads in the catalog",
  measure: async (bench) => {
    await using full = await bench.disk.directory();
    await using empty = await bench.disk.directory();
    const catalogs = [
      { name: "full catalog", path: full.path },
      { name: "empty catalog", path: empty.path },
    ];
    for (const { path } of catalogs) await firstUpload(path);
    fill(join(full.path, "catalog.sqlite"), bench.count(uploadsInCatalog));
    const rounds = await bench.rounds(catalogs, ({ path }) => measure(bench, path));
    return [
      rounds.ratio({ of: "full catalog", to: "empty catalog", what: "msPerUpload", most: 1.2 }),
    ];
  },
};

async function firstUpload(path: string): Promise<void> {
  const contender = await hawser.start(path);
  await uploadMany(contender, 1);
  await contender.stop();
}

/** Copies of the one upload that is there: half of them open, all changed yesterday. */
function fill(path: string, count: number): void {
  const database = new DatabaseSync(path);
  const columns = database.prepare("select * from uploads limit 0").columns();
  const names = columns.map(({ name }) => `"${name}"`);
  const changed: Record<string, string> = {
    '"id"': "printf('%08x-0000-4000-8000-%012x', abs(random()) % 4294967296, number)",
    '"blob_id"': "printf('%08x-0000-4000-9000-%012x', abs(random()) % 4294967296, number)",
    '"state"': "case number % 2 when 0 then 'open' else 'complete' end",
    '"offset"': "case number % 2 when 0 then 0 else offset end",
    '"created_at"': "created_at - 86400000 + number",
    '"updated_at"': "updated_at - 86400000",
    '"expires_at"': "expires_at + 86400000000",
  };
  database.exec(`
    begin;
    insert into uploads (${names.join(", ")})
      with recursive numbers(number) as
        (select 1 union all select number + 1 from numbers where number < ${count})
      select ${names.map((name) => changed[name] ?? name).join(", ")}
      from numbers, (select * from uploads limit 1);
    insert into extents (blob_id, start, key, length, crc32, inline)
      select blob_id, 0, '', 8, 0, x'2550444620202020' from uploads where state = 'complete'
      on conflict do nothing;
    commit;
    pragma wal_checkpoint(truncate);`);
  database.close();
}

async function measure(bench: Bench, path: string): Promise<Measured> {
  const contender = await hawser.start(path);
  try {
    await uploadMany(contender, 500);
    const count = bench.count(measuredUploads);
    const begun = performance.now();
    await uploadMany(contender, count);
    return { msPerUpload: (performance.now() - begun) / count };
  } finally {
    await contender.stop();
  }
}
