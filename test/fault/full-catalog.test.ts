import path from "node:path";
import { expect, it } from "vitest";

import { CatalogFullError } from "../../packages/server/src/catalog/catalog.ts";
import { SqliteCatalog } from "../../packages/server/src/catalog/sqlite.ts";
import { SeededRandom } from "../support/seeded.ts";
import { type SmallVolume, volumeOrSkip } from "../support/small-volume.ts";
import { fillCatalog } from "./full-catalog.ts";
import { keepBytesElsewhere, withPlace } from "./small-place.ts";

const MiB = 1024 * 1024;

it("every request that a full catalog cannot take is refused with 507, and none with 500", async (context) => {
  const volume = await volumeOrSkip(24 * MiB, context);
  await keepBytesElsewhere(volume, context);
  await withPlace(volume, (place) => fillCatalog(place, new SeededRandom(5)));
});

/** More than the log takes before it is copied into the database. */
const manyChanges = 1_000;
const text = "x".repeat(8 * 1024);

/** What is the same as before would not be written. */
function otherText(number: number, length: number): string {
  return (number % 2 === 0 ? "y" : "z").repeat(length);
}

/** The catalog ends the process where it cannot go on; here it fails the test. */
function openOn(volume: SmallVolume, failures: Error[]): Promise<SqliteCatalog> {
  const file = path.join(volume.mountPoint, "catalog.sqlite");
  return SqliteCatalog.open(file, (error) => failures.push(error));
}

async function wasTaken(catalog: SqliteCatalog, name: string, value = text): Promise<boolean> {
  try {
    await catalog.writeMark(name, value);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(CatalogFullError);
    return false;
  }
}

/** New rows, some at once; answers the names of those that are told to be there. */
async function grow(catalog: SqliteCatalog, prefix: string): Promise<string[]> {
  const taken: string[] = [];
  for (let number = 0; number < manyChanges; number += 20) {
    const names = Array.from({ length: 20 }, (_, index) => `${prefix} ${number + index}`);
    const outcomes = await Promise.all(names.map((name) => wasTaken(catalog, name)));
    taken.push(...names.filter((_, index) => outcomes[index]));
  }
  return taken;
}

it("a catalog that a full disk keeps from copying its log reads on, and commits again once there is room", async (context) => {
  const volume = await volumeOrSkip(32 * MiB, context);
  context.onTestFinished(() => volume.remove());
  const failures: Error[] = [];
  let catalog = await openOn(volume, failures);
  const early = await grow(catalog, "early");
  expect(early).toHaveLength(manyChanges);
  await volume.fillUntil(0);
  const late = await grow(catalog, "late");
  expect(late.length, "the catalog never was full").toBeLessThan(manyChanges);

  // Closing cannot copy the log either: it is there when the next process opens the catalog.
  await catalog.close();
  expect(await volume.freeBytes()).toBe(0);
  catalog = await openOn(volume, failures);
  for (const name of [...early, ...late]) expect(await catalog.readMark(name)).toBe(text);
  await grow(catalog, "refused");

  await volume.makeRoom();
  expect(await grow(catalog, "again")).toHaveLength(manyChanges);
  for (const name of [...early, ...late]) expect(await catalog.readMark(name)).toBe(text);
  await catalog.close();
  expect(failures).toEqual([]);
});

it("room is set aside anew by a catalog that has grown into it", async (context) => {
  const volume = await volumeOrSkip(32 * MiB, context);
  context.onTestFinished(() => volume.remove());
  const failures: Error[] = [];
  const catalog = await openOn(volume, failures);
  await grow(catalog, "early");
  await volume.fillUntil(0);
  let taken = 0;
  for (let number = 0; number < manyChanges; number += 1) {
    if (await wasTaken(catalog, "the same", otherText(number, 8 * 1024))) taken += 1;
  }
  expect(taken).toBe(manyChanges);
  await catalog.close();
  expect(failures).toEqual([]);
});

it("on a full disk the log is copied when it is at its end, before a change is refused", async (context) => {
  const volume = await volumeOrSkip(32 * MiB, context);
  context.onTestFinished(() => volume.remove());
  const failures: Error[] = [];
  const catalog = await openOn(volume, failures);
  const large = (number: number): string => otherText(number, 60 * 1024);
  expect(await wasTaken(catalog, "large", large(-1))).toBe(true);
  await volume.fillUntil(0);
  // Each takes as much of the log as a dozen changes do; the database does not grow.
  for (let number = 0; number < 200; number += 1) {
    expect(await wasTaken(catalog, "large", large(number)), `change ${number}`).toBe(true);
  }
  await catalog.close();
  expect(failures).toEqual([]);
});
