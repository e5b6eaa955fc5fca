import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { crc32 } from "../../base/crc32.ts";
import type { StoredExtent } from "../blob-store.ts";
import { Gate } from "../../base/gate.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { S3Appender, type S3AppenderParts } from "./s3-appender.ts";

const KiB = 1024;

/** A bucket in memory that takes a moment for each put, and sees what is sent to it. */
class Bucket {
  readonly objects = new Map<string, Buffer>();
  putsAtOnceMax = 0;
  /** So many of the next reads bring a byte that is not the one that is stored. */
  readsWrong = 0;
  #puts = 0;
  readonly #shared: Pick<S3AppenderParts, "memory" | "mergeMemory" | "puts">;

  constructor(memoryBytes: number) {
    const memory = new MemoryBudget(memoryBytes);
    this.#shared = { memory, mergeMemory: new MemoryBudget(memoryBytes), puts: new Gate(16) };
  }

  get heldBytes(): number {
    return this.#shared.memory.heldBytes + this.#shared.mergeMemory.heldBytes;
  }

  open(
    blobId: string,
    extents: readonly StoredExtent[] = [],
    isUnproven: () => boolean = () => false,
  ): S3Appender {
    return new S3Appender({
      isUnproven,
      ...this.#shared,
      put: async ({ key, body, crc32: sum }) => {
        this.#puts += 1;
        this.putsAtOnceMax = Math.max(this.putsAtOnceMax, this.#puts);
        await systemClock.sleep(1);
        expect(crc32(body)).toBe(sum);
        expect(this.objects.has(key)).toBe(false);
        this.objects.set(key, Buffer.from(body));
        this.#puts -= 1;
        return { attempts: 1 };
      },
      read: (key, { from, to }) => this.#read(this.#objectAt(key).subarray(from, to)),
      keyOf: ({ start, length, crc32: sum, isUnproven: asked = false }) =>
        `${blobId}/${start}-${length}-${sum}${asked ? "-unproven" : ""}`,
      firstPartBytes: 1024 * KiB,
      clock: systemClock,
      extents,
      offset: extents.reduce((sum, { length }) => sum + length, 0),
    });
  }

  bytesOf(extents: readonly StoredExtent[]): Buffer {
    return Buffer.concat(extents.map(({ key, inline }) => inline ?? this.#objectAt(key)));
  }

  async *#read(stored: Buffer): AsyncIterable<Uint8Array> {
    await systemClock.sleep(1);
    const bytes = Buffer.from(stored);
    if (this.readsWrong > 0) bytes[0] = ~(bytes[0] ?? 0);
    this.readsWrong -= 1;
    yield bytes;
  }

  #objectAt(key: string): Buffer {
    const object = this.objects.get(key);
    if (object === undefined) throw new Error(`${key} was never put`);
    return object;
  }
}

test("two hundred uploads at once come through little memory, and give all of it back", async () => {
  const bucket = new Bucket(4 * 1024 * KiB);
  const bytes = randomBytes(1200 * KiB);
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const appender = bucket.open(`blob ${index}`);
      for (let from = 0; from < bytes.length; from += 50_000 + index) {
        await appender.write([bytes.subarray(from, from + 50_000 + index)]);
        expect(bucket.heldBytes).toBeLessThanOrEqual(8 * 1024 * KiB);
      }
      const { to, extents } = await appender.checkpoint("everything");
      await appender.close();
      expect(to).toBe(bytes.length);
      expect(bucket.bytesOf(extents).equals(bytes)).toBe(true);
    }),
  );
  expect(bucket.heldBytes).toBe(0);
  expect(bucket.putsAtOnceMax).toBeLessThanOrEqual(16);
});

test("a checkpoint while a write waits for memory tells a prefix, and nothing twice", async () => {
  const bucket = new Bucket(256 * KiB);
  const bytes = randomBytes(3000 * KiB);
  const appender = bucket.open("blob");
  const known = new Map<number, StoredExtent>();
  const keep = async (): Promise<number> => {
    const { to, extents, replaced } = await appender.checkpoint("everything");
    for (const { start } of replaced) expect(known.delete(start)).toBe(true);
    for (const extent of extents) known.set(extent.start, extent);
    return to;
  };
  const writing = appender.write([bytes]);
  for (let last = 0; last < bytes.length;) {
    const to = await keep();
    expect(to).toBeGreaterThanOrEqual(last);
    last = to;
    await systemClock.sleep(2);
  }
  await writing;
  await appender.close();
  const extents = [...known.values()].sort((one, other) => one.start - other.start);
  expect(bucket.bytesOf(extents).equals(bytes)).toBe(true);
  expect(bucket.heldBytes).toBe(0);
});

test("what was written and not asked for is dropped with its memory", async () => {
  const bucket = new Bucket(1024 * KiB);
  const appender = bucket.open("blob");
  await appender.write([randomBytes(100 * KiB)]);
  expect(bucket.heldBytes).toBeGreaterThan(0);
  await appender.close();
  expect(bucket.heldBytes).toBe(0);
  expect(bucket.objects.size).toBe(0);
});

test.for([
  [1, "is read again, and the upload goes on"],
  [2, "twice is damage, and is not put"],
] as const)("a merge that reads wrong bytes, %d time(s), %s", async ([times]) => {
  const bucket = new Bucket(8 * 1024 * KiB);
  const bytes = randomBytes(1024 * KiB);
  const first = bucket.open("blob");
  await first.write([bytes.subarray(0, 300 * KiB)]);
  const { extents } = await first.checkpoint("everything");
  await first.close();
  bucket.readsWrong = times;
  const second = bucket.open("blob", extents);
  await second.write([bytes.subarray(300 * KiB)]);
  const told = second.checkpoint("everything");
  if (times === 2) await expect(told).rejects.toMatchObject({ code: "upload_damaged" });
  else expect(bucket.bytesOf((await told).extents).equals(bytes)).toBe(true);
  await second.close();
  expect(bucket.objects.size).toBe(times === 2 ? 1 : 2);
  expect(bucket.heldBytes).toBe(0);
});

test.each([1024, 2048, 1024 + 8, 1500])(
  "the last key of %i KiB that are proven at their end is a proven one",
  async (kib) => {
    const bucket = new Bucket(8 * 1024 * KiB);
    const bytes = randomBytes(kib * KiB);
    let isUnproven = true;
    const appender = bucket.open("blob", [], () => isUnproven);
    for (let from = 0; from < bytes.length; from += 100_000) {
      await appender.write([bytes.subarray(from, from + 100_000)]);
    }
    isUnproven = false;
    const { to, extents } = await appender.checkpoint("everything");
    await appender.close();
    expect(to).toBe(bytes.length);
    expect(bucket.bytesOf(extents).equals(bytes)).toBe(true);
    expect(extents.at(-1)?.key).toMatch(/^blob/);
    expect(extents.at(-1)?.key).not.toContain("unproven");
    expect(bucket.heldBytes).toBe(0);
  },
);
