import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

import { systemClock } from "../../packages/server/src/base/clock.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { SqliteCatalog } from "../../packages/server/src/catalog/sqlite.ts";
import { Leases } from "../../packages/server/src/engine/lease.ts";
import { makeUpload } from "../contract/catalog-samples.ts";

it("of many who wait for the same holder, one at a time holds the upload", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "hawser-lease-"));
  const catalog = await SqliteCatalog.open(join(directory, "catalog.sqlite"), (error) => {
    throw error;
  });
  context.onTestFinished(async () => {
    await catalog.close();
    await rm(directory, { recursive: true });
  });
  const leases = new Leases({ catalog, clock: systemClock, random: systemRandom });
  const upload = makeUpload();
  await catalog.insertUpload(upload);

  const first = await leases.take(upload.id);
  let holders = 0;
  const most: number[] = [];
  const newcomers = Array.from({ length: 5 }, async () => {
    const lease = await leases.take(upload.id);
    holders += 1;
    most.push(holders);
    // Long enough for another one to come in, if it could.
    await catalog.findUpload(upload.id);
    await catalog.writeMark("somebody", lease.fence);
    holders -= 1;
    await lease.release();
  });
  await first.release();
  await Promise.all(newcomers);
  expect(most).toEqual([1, 1, 1, 1, 1]);
});
