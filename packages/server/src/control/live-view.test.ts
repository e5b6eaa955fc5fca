import { expect, it } from "vitest";

import { makeUpload } from "../../../../test/contract/catalog-samples.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { limits } from "../base/limits.ts";
import { LiveView } from "./live-view.ts";

it("stalled uploads are counted and listed, however many have changed since", async () => {
  const clock = new ManualClock();
  const engine = engineOver(new MemoryCatalog(), { clock });
  const view = new LiveView({ engine, graphIdOf: ({ id }) => id });
  const begin = async (updatedAt: number, appId = "1001") => {
    const upload = makeUpload({ appId, updatedAt });
    await engine.catalog.insertUpload(upload);
    return engine.activity.begin({ id: upload.id, position: 0, dialect: "tus" });
  };
  await begin(1, "2002");
  clock.pass(1_000);
  await begin(2);
  clock.pass(limits.stalledMsMin);
  for (let count = 0; count < 5; count += 1) await begin(1_000 + count);
  expect(view.stalled()).toBe(2);
  const list = (query: object) =>
    view.page({ appId: undefined, after: undefined, limit: 3, stalled: true, ...query });
  const { uploads, next } = await list({});
  expect(uploads.map(({ updatedAt }) => Date.parse(updatedAt))).toEqual([1, 2]);
  expect(uploads.every(({ stalledSince }) => stalledSince !== null)).toBe(true);
  expect(next).toBeNull();
  expect((await list({ limit: 1 })).uploads).toHaveLength(1);
  expect((await list({ appId: "1001" })).uploads.map(({ appId }) => appId)).toEqual(["1001"]);
  expect((await list({ stalled: false })).uploads).toHaveLength(3);
});
