import { expect, it } from "vitest";
import { Ring } from "./ring.ts";

it("a ring keeps the last items, and tells what came since a count", () => {
  const ring = new Ring<number>(3);
  expect(ring.since(0)).toEqual([]);
  for (const item of [1, 2]) ring.push(item);
  expect(ring.since(0)).toEqual([1, 2]);
  for (const item of [3, 4, 5]) ring.push(item);
  expect(ring.count).toBe(5);
  expect([0, 1, 2, 3, 4, 5].map((count) => ring.since(count))).toEqual([
    [3, 4, 5],
    [3, 4, 5],
    [3, 4, 5],
    [4, 5],
    [5],
    [],
  ]);
});
