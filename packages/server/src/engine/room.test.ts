import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { limits } from "../base/limits.ts";
import type { Upload } from "../catalog/records.ts";
import { createUpload } from "./create.ts";
import type { EngineParts } from "./parts.ts";
import { Room } from "./room.ts";

/** Its sum, and its rows, may have to wait, or not be had. */
class SlowCatalog extends MemoryCatalog {
  sums = 0;
  isAway = false;
  /** What has to be over before a sum is answered, and before a row is made. */
  untilSum = Promise.resolve();
  untilRow = Promise.resolve();

  override async bytesStillDue(since: number): Promise<number> {
    this.sums += 1;
    if (this.isAway) throw new Error("the database is away");
    const sum = await super.bytesStillDue(since);
    await this.untilSum;
    return sum;
  }

  override async insertUpload(upload: Upload): Promise<boolean> {
    await this.untilRow;
    return super.insertUpload(upload);
  }
}

const clock = new ManualClock();
let catalog: SlowCatalog;
let volume: { isAway: boolean; looks: number };
let engine: EngineParts;

beforeEach(() => {
  catalog = new SlowCatalog();
  volume = { isAway: false, looks: 0 };
  const plain = engineOver(catalog, { clock });
  const room = (): Promise<{ freeBytes: number; totalBytes: number }> => {
    volume.looks += 1;
    if (volume.isAway) return Promise.reject(new Error("the volume is away"));
    return Promise.resolve({ freeBytes: 10_000, totalBytes: 10_000 });
  };
  const marks = { softBytes: 0, hardBytes: 0 };
  engine = { ...plain, room: new Room({ ...plain, blobs: { room }, marks }) };
});

async function create(length: number): Promise<"begun" | "no room"> {
  try {
    await createUpload(engine, {
      id: randomUUID(),
      app: {
        id: "1",
        lengthMax: 1e9,
        lifetimeMs: 86_400_000,
        contentPolicy: "off",
        roomBytesMax: undefined,
      },
      userId: "42",
      name: "name",
      type: "video/mp4",
      length,
      protocol: "graph",
      creation: "",
      completes: "at_length",
    });
    return "begun";
  } catch (error) {
    expect(error).toHaveProperty("code", "no_room");
    return "no room";
  }
}

function atOnce(count: number, length: number): Promise<("begun" | "no room")[]> {
  return Promise.all(Array.from({ length: count }, () => create(length)));
}

test("a look that fails fails who asked, and nobody after that", async () => {
  catalog.isAway = true;
  await expect(engine.room.admit(0)).rejects.toThrow("the database is away");
  catalog.isAway = false;
  volume.isAway = true;
  await expect(engine.room.report()).rejects.toThrow("the volume is away");
  volume.isAway = false;
  await engine.room.admit(0);
  expect(await create(10_000)).toBe("begun");
  clock.pass(limits.roomLookMs);
  volume.isAway = true;
  await expect(engine.room.admit(0)).rejects.toThrow("the volume is away");
  volume.isAway = false;
  await engine.room.admit(0);
});

test("those who create at once share one look, and are together promised what is there", async () => {
  for (let round = 1; round <= 3; round += 1) {
    const outcomes = await atOnce(20, 1_000);
    expect(outcomes.filter((outcome) => outcome === "begun")).toHaveLength(round === 1 ? 10 : 0);
    expect([catalog.sums, volume.looks]).toEqual([round, round]);
    clock.pass(limits.roomLookMs);
  }
});

test("an upload whose row is made while room is looked for has its promise counted", async () => {
  expect(await create(1_000)).toBe("begun");
  const row = Promise.withResolvers<undefined>();
  catalog.untilRow = row.promise.then(() => undefined);
  const late = create(6_000);
  await turn();
  clock.pass(limits.roomLookMs);
  const sum = Promise.withResolvers<undefined>();
  catalog.untilSum = sum.promise.then(() => undefined);
  const [fits, exceeds] = [create(3_000), create(1)];
  // The late one's row comes after it could be summed.
  row.resolve(undefined);
  expect(await late).toBe("begun");
  sum.resolve(undefined);
  expect(await Promise.all([fits, exceeds])).toEqual(["begun", "no room"]);
  clock.pass(limits.roomLookMs);
  expect(await engine.room.report()).toMatchObject({ promisedBytes: 10_000 });
});
