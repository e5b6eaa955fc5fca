import { expect, test } from "vitest";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { CatalogGuard } from "./removal-guard.ts";

class Bucket {
  count: number | undefined;

  read(): Promise<number | undefined> {
    return Promise.resolve(this.count);
  }

  write(count: number): Promise<void> {
    this.count = count;
    return Promise.resolve();
  }
}

function guardOf(catalog: MemoryCatalog, counter: Bucket, name = "one"): CatalogGuard {
  return new CatalogGuard({ catalog, counter, identity: () => Promise.resolve(name) });
}

test("each sweep is counted in the catalog and beside the bytes", async () => {
  const [catalog, bucket] = [new MemoryCatalog(), new Bucket()];
  const guard = guardOf(catalog, bucket);
  expect(await guard.countSweep()).toBeUndefined();
  expect(await guard.countSweep()).toBeUndefined();
  expect(bucket.count).toBe(2);
  expect(await catalog.readMark("sweeps")).toBe("2");
  expect(await guard.refusal()).toBeUndefined();
});

test("a catalog from before the last sweep removes nothing until an operator allows it", async () => {
  const [catalog, bucket] = [new MemoryCatalog(), new Bucket()];
  await guardOf(catalog, bucket).countSweep();
  const backup = catalog.rows.copy();
  await guardOf(catalog, bucket).countSweep();
  const restored = guardOf(new MemoryCatalog(backup), bucket);
  expect(await restored.refusal()).toMatch(/1 sweeps, the store of 2/);
  expect(await restored.countSweep()).toMatch(/restored/);
  expect(bucket.count).toBe(2);
  await restored.allow();
  expect(await restored.countSweep()).toBeUndefined();
  expect(bucket.count).toBe(3);
});

test("another database removes nothing until an operator allows it", async () => {
  const [catalog, bucket] = [new MemoryCatalog(), new Bucket()];
  await guardOf(catalog, bucket).countSweep();
  const other = guardOf(catalog, bucket, "two");
  expect(await other.countSweep()).toMatch(/is two, and was one/);
  await other.allow();
  expect(await other.countSweep()).toBeUndefined();
  expect(await guardOf(catalog, bucket).refusal()).toMatch(/is one, and was two/);
});

test("what is held stays held, for every process, until it is allowed", async () => {
  const [catalog, bucket] = [new MemoryCatalog(), new Bucket()];
  await guardOf(catalog, bucket).hold("a backup is being looked at");
  expect(await guardOf(catalog, bucket).countSweep()).toBe("a backup is being looked at");
  expect(bucket.count).toBeUndefined();
  await guardOf(catalog, bucket).allow();
  expect(await guardOf(catalog, bucket).countSweep()).toBeUndefined();
});

test("a process that was stopped while others swept does not leave a restored catalog behind", async () => {
  const [catalog, bucket] = [new MemoryCatalog(), new Bucket()];
  const others = guardOf(catalog, bucket);
  let stopped = true;
  const slow = new CatalogGuard({
    catalog: {
      readMark: (name) => catalog.readMark(name),
      claimMark: (name, value) => catalog.claimMark(name, value),
      writeMark: (name, value) => catalog.writeMark(name, value),
      raiseMark: async (name, count) => {
        if (stopped) {
          stopped = false;
          for (let sweeps = 0; sweeps < 3; sweeps += 1) await others.countSweep();
        }
        await catalog.raiseMark(name, count);
      },
    },
    counter: bucket,
    identity: () => Promise.resolve("one"),
  });
  expect(await slow.countSweep()).toBeUndefined();
  expect(await others.refusal()).toBeUndefined();
  expect(bucket.count).toBe(4);
});

/** Lets others sweep between a look at the count of sweeps and what is made of it. */
class SlowCatalog extends MemoryCatalog {
  looksLeft = 2;
  othersSweep: (() => Promise<unknown>) | undefined;

  override async readMark(name: string): Promise<string | undefined> {
    const mark = await super.readMark(name);
    if (name === "sweeps") this.looksLeft -= 1;
    if (this.looksLeft === 0) await this.othersSweep?.();
    return mark;
  }
}

test("a process that dies while it counts a late sweep does not lower the catalog's count", async () => {
  const [catalog, bucket] = [new MemoryCatalog(), new Bucket()];
  const others = guardOf(catalog, bucket);
  await others.countSweep();
  const slow = new SlowCatalog(catalog.rows);
  let isDead = false;
  slow.othersSweep = async () => {
    for (let sweeps = 0; sweeps < 3; sweeps += 1) await others.countSweep();
    isDead = true;
  };
  const died = new Error("the process died after it wrote to the catalog");
  const counter = {
    read: () => (isDead ? Promise.reject(died) : bucket.read()),
    write: (count: number) => bucket.write(count),
  };
  const identity = (): Promise<string> => Promise.resolve("one");
  const dying = new CatalogGuard({ catalog: slow, counter, identity });
  await expect(dying.countSweep()).rejects.toBe(died);
  expect(await others.refusal()).toBeUndefined();
  expect(await catalog.readMark("sweeps")).toBe("4");
});
