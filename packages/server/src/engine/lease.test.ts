import { expect, test } from "vitest";
import { makeUpload } from "../../../../test/contract/catalog-samples.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { Leases } from "./lease.ts";

test("of newcomers that wait for one holder, or come at once, never two hold an upload", async () => {
  const catalog = new MemoryCatalog();
  const leases = new Leases({ catalog, clock: systemClock, random: systemRandom });
  const upload = makeUpload();
  await catalog.insertUpload(upload);
  let holding = 0;
  let mostHolding = 0;
  const holdUntilAsked = async (): Promise<void> => {
    const lease = await leases.take(upload.id);
    holding += 1;
    mostHolding = Math.max(mostHolding, holding);
    // As an append does: asked to let go, it still has something to make durable.
    await Promise.race([
      new Promise<void>((resolve) => {
        lease.yielding.onAsked(resolve);
      }),
      systemClock.sleep(50),
    ]);
    await systemClock.sleep(1);
    holding -= 1;
    await lease.release();
  };
  await Promise.all(Array.from({ length: 4 }, holdUntilAsked));
  expect(mostHolding).toBe(1);
});

test("who waits for a holder's ending waits only where nothing more comes, and asks for nothing", async () => {
  const catalog = new MemoryCatalog();
  const leases = new Leases({ catalog, clock: systemClock, random: systemRandom });
  const upload = makeUpload();
  await catalog.insertUpload(upload);
  const lease = await leases.take(upload.id);
  const body = { isOver: false };
  lease.yielding.reads(body);
  await leases.awaitEnding(upload.id);
  body.isOver = true;
  const events: string[] = [];
  const waited = leases.awaitEnding(upload.id).then(() => events.push("waited for"));
  await systemClock.sleep(5);
  events.push("let go");
  await lease.release();
  await waited;
  expect(events).toEqual(["let go", "waited for"]);
  expect(lease.yielding.isAsked).toBe(false);
  await leases.awaitEnding(upload.id);
});
