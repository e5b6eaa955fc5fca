import { randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { systemClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Upload } from "../catalog/records.ts";
import { createUpload } from "./create.ts";
import type { EngineParts } from "./parts.ts";
import { Room } from "./room.ts";

let now = 1_000_000_000_000;
let engine: EngineParts;

beforeEach(() => {
  const clock = { ...systemClock, now: () => now };
  const plain = engineOver(new MemoryCatalog(), { clock });
  const volume = { room: () => Promise.resolve({ freeBytes: 10_000, totalBytes: 10_000 }) };
  const marks = { softBytes: 0, hardBytes: 0 };
  engine = { ...plain, room: new Room({ ...plain, blobs: volume, marks }) };
});

function create(id: string, length: number, roomBytesMax?: number): Promise<Upload> {
  return createUpload(engine, {
    id: randomUUID(),
    app: { id, lengthMax: 1e9, lifetimeMs: 86_400_000, contentPolicy: "off", roomBytesMax },
    userId: "42",
    name: "name",
    type: "video/mp4",
    length,
    protocol: "graph",
    creation: "",
    completes: "at_length",
  });
}

const noRoom = { code: "no_room", detail: { facts: { appBytesMax: 1_000 } } };

test("an app is refused what goes beyond its room, and told how much that is", async () => {
  await create("1", 900, 1_000);
  await expect(create("1", 101, 1_000)).rejects.toMatchObject(noRoom);
  await create("1", 100, 1_000);
  await create("2", 1_000, 1_000);
  await create("3", 5_000);
});

test("an upload that nobody continues keeps its app's room for a quarter of an hour", async () => {
  await create("1", 900, 1_000);
  now += limits.roomPromiseMs;
  await expect(create("1", 101, 1_000)).rejects.toMatchObject(noRoom);
  now += 1;
  await create("1", 1_000, 1_000);
});

test("what an app was refused is not kept from the others", async () => {
  await create("1", 900, 1_000);
  for (let count = 0; count < 20; count += 1) {
    await expect(create("1", 1_000, 1_000)).rejects.toMatchObject(noRoom);
  }
  await create("2", 9_100);
  const full = { code: "no_room", facts: { offset: undefined } };
  await expect(create("2", 1)).rejects.toHaveProperty("detail", full);
});
