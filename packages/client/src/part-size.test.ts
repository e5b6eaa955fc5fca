import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { upload } from "./index.ts";
import { PartSize } from "./part-size.ts";
import type { Fault } from "./testing/fake-graph.ts";
import { answering, cutAfter, FakeGraph } from "./testing/fake-graph.ts";
import { failureOf, optionsFor } from "./testing/upload-case.ts";

const KiB = 1024;
const content = randomBytes(3 * 1024 * KiB);
let fake: FakeGraph;

beforeEach(async () => {
  fake = await FakeGraph.listen();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const options = () => optionsFor(fake);

/** Every append meets the fault. */
function always(fault: Fault): void {
  fake.appendFaults.push(...Array.from({ length: 200 }, () => fault));
}

function lengthsSent(): number[] {
  return fake.headers.flatMap((headers) =>
    headers.file_offset === undefined ? [] : [Number(headers["content-length"])],
  );
}

/** As nginx does with a body that is announced as too large. */
const limitedTo =
  (bytes: number): Fault =>
  (scene) =>
    Number(scene.request.headers["content-length"]) > bytes && answering(413, {})(scene);

describe("the size of parts", () => {
  test("halves after each 413 until a part gets through, and stays there", async () => {
    always(limitedTo(1000 * KiB));
    await upload(content, options());
    expect(lengthsSent().map((length) => length / KiB)).toEqual([3072, 1536, 768, 768, 768, 768]);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("is remembered for other uploads to the same origin", async () => {
    always(limitedTo(1000 * KiB));
    await upload(content, options());
    fake.headers.length = 0;
    await upload(content, options());
    expect(lengthsSent().map((length) => length / KiB)).toEqual([768, 768, 768, 768]);
  });

  test("does not go below 256 KiB, and says then that a proxy is in the way", async () => {
    always(limitedTo(100 * KiB));
    const error = await failureOf(upload(content, options()));
    expect(lengthsSent().at(-1)).toBe(256 * KiB);
    expect(error).toMatchObject({ code: "refused", facts: { status: 413 } });
    expect(error.hint).toMatch(/proxy/);
  });

  test("halves after three cuts at the same place", async () => {
    const cut = cutAfter(700 * KiB);
    always((scene) => Number(scene.request.headers["content-length"]) > 700 * KiB && cut(scene));
    const big = Buffer.concat([content, content]);
    const result = await upload(big, options());
    const sizes = lengthsSent().map((length) => length / KiB);
    expect(sizes.slice(0, 3)).toEqual([6144, 5444, 4744]);
    expect(new Set(sizes.slice(3, -1))).toEqual(new Set([350]));
    expect(result.retries).toBe(3);
    expect(fake.kept.equals(big)).toBe(true);
  });

  test("halves when three parts are taken and nothing of them arrives", async () => {
    const swallow: Fault = async ({ request }) => {
      const length = Number(request.headers["content-length"]);
      if (length <= 800 * KiB) return false;
      let taken = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        if ((taken += chunk.length) >= length) break;
      }
      request.socket.destroy();
      return true;
    };
    always(swallow);
    const result = await upload(content, options());
    expect(fake.kept.equals(content)).toBe(true);
    // Twice three cuts with four attempts: another size is another try.
    expect(result.retries).toBe(6);
    expect(lengthsSent().at(-1)).toBe(768 * KiB);
  });
});

describe("cuts that tell nothing of a size", () => {
  const partSize = () =>
    new PartSize({ wanted: undefined, url: fake.url, clock: { now: () => 0, sleep: () => never } });
  const never = Promise.withResolvers<undefined>().promise;
  const length = 10_000_000;

  test("are those at different places", () => {
    const size = partSize();
    for (const brought of [1, 1, 2, 2, 1, 1]) {
      expect(size.cut({ length, sent: 5_000_000, brought })).toBe(false);
    }
    expect(size.bytes).toBe(Infinity);
  });

  test("are those of a server that took nothing", () => {
    const size = partSize();
    for (let cuts = 0; cuts < 9; cuts += 1) {
      expect(size.cut({ length, sent: 0, brought: 0 })).toBe(false);
    }
  });

  test("are those with a part that got through between", () => {
    const size = partSize();
    for (let cuts = 0; cuts < 9; cuts += 1) {
      expect(size.cut({ length, sent: 5_000_000, brought: 0 })).toBe(false);
      if (cuts % 2 === 1) size.arrived();
    }
  });
});

test("a size that was found is forgotten after an hour", () => {
  const url = "https://forgetful.example/base";
  const at = (nowMs: number) => ({ now: () => nowMs, sleep: () => Promise.resolve() });
  new PartSize({ wanted: undefined, url, clock: at(0) }).shrink(4_000_000);
  const after = (nowMs: number, wanted?: number) =>
    new PartSize({ wanted, url: "https://forgetful.example", clock: at(nowMs) }).bytes;
  expect(after(3_599_999)).toBe(2_000_000);
  expect(after(3_599_999, 1_000_000)).toBe(1_000_000);
  expect(after(3_600_000)).toBe(Infinity);
});
