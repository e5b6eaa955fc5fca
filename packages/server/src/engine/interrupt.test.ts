import { expect, test } from "vitest";
import { makeUpload } from "../../../../test/contract/catalog-samples.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { interrupt } from "./interrupt.ts";

test("whoever writes an upload is asked to let go, and waited for", async () => {
  const catalog = new MemoryCatalog();
  const engine = engineOver(catalog);
  const upload = makeUpload();
  await catalog.insertUpload(upload);
  const lease = await engine.leases.take(upload.id);
  const events: string[] = [];
  lease.yielding.onAsked(() => {
    events.push("asked");
    void engine.clock.sleep(5).then(() => {
      events.push("let go");
      return lease.release();
    });
  });
  await interrupt(engine, upload.id);
  expect(events).toEqual(["asked", "let go"]);
  expect(engine.leases.isHeld(upload.id)).toBe(false);
});

test("an upload that nobody writes is left alone", async () => {
  const catalog = new MemoryCatalog();
  const engine = engineOver(catalog);
  const upload = makeUpload();
  await catalog.insertUpload(upload);
  const before = await catalog.findUpload(upload.id);
  await interrupt(engine, upload.id);
  expect(await catalog.findUpload(upload.id)).toEqual(before);
});
