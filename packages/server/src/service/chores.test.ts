import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { systemClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { CatalogFullError } from "../catalog/catalog.ts";
import { doChores } from "./chores.ts";

/** A catalog that is full whenever it is asked to expire or to list files, and counts that. */
class FullCatalog extends MemoryCatalog {
  expiries = 0;
  looks = 0;

  override expireUploads(): Promise<string[]> {
    this.expiries += 1;
    return Promise.reject(new CatalogFullError());
  }

  override listUndigested(): Promise<never> {
    this.looks += 1;
    return Promise.reject(new CatalogFullError());
  }
}

test("a chore that fails is told of and done again at its next time, until the end", async () => {
  const catalog = new FullCatalog();
  const failures: object[] = [];
  const clock = {
    ...systemClock,
    sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(1, signal),
  };
  const engine = engineOver(catalog, { clock });
  const log = { ...engine.log, error: (facts: object) => failures.push(facts) };
  const ending = new AbortController();
  const { signal } = ending;
  const chores = doChores({ ...engine, log }, { sweepIntervalMs: 1, signal });
  await eventually(() => (catalog.expiries >= 3 && catalog.looks >= 3 ? true : undefined), {
    what: "a third sweep and a third look for files",
  });
  ending.abort();
  await chores;
  expect(failures.length).toBeGreaterThanOrEqual(6);
  const { expiries, looks } = catalog;
  for (let count = 0; count < 20; count += 1) await turn();
  await systemClock.sleep(20);
  expect(catalog).toMatchObject({ expiries, looks });
});

test("nothing is swept on the word of a clock that was set, for an hour", async () => {
  const at = { wall: 1_800_000_000_000, uptime: 0 };
  const clock = {
    ...systemClock,
    now: () => at.wall,
    monotonic: () => at.uptime,
    sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(1, signal),
  };
  const catalog = new MemoryCatalog();
  const engine = engineOver(catalog, { clock });
  const warnings: object[] = [];
  const log = { ...engine.log, warn: (facts: object) => warnings.push(facts) };
  const ending = new AbortController();
  const uploads = new EngineUploads();
  uploads.engine = engine;
  const upload = await uploads.create();
  const chores = doChores({ ...engine, log }, { sweepIntervalMs: 1, signal: ending.signal });
  at.wall += 365 * 24 * 60 * 60 * 1000;
  await eventually(() => (warnings.length > 2 ? true : undefined), { what: "a third sweep" });
  expect(await catalog.findUpload(upload.id)).toMatchObject({ state: "open" });
  at.wall += limits.clockPauseMs;
  at.uptime += limits.clockPauseMs;
  await eventually(
    async () => (await catalog.findUpload(upload.id))?.state === "expired" || undefined,
    { what: "the sweep after the pause" },
  );
  ending.abort();
  await chores;
});
