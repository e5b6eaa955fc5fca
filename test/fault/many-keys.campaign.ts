import { describe, expect, test } from "vitest";
import { plantedInKeys } from "./many-keys/planted-in-keys.ts";
import { tryLives } from "./many-keys/steps.ts";

test("nothing acknowledged is ever swept, and in the end no orphan is left, in 400 lives", async () => {
  const { runs, failure, counts } = await tryLives({ seed: 1, runs: 400, restores: false });
  expect(failure).toBeUndefined();
  expect(runs).toBe(400);
  // It was no empty exercise.
  expect(counts.commits).toBeGreaterThan(1_000);
  expect(counts.stale).toBeGreaterThan(20);
  expect(counts.orphans).toBeGreaterThan(200);
  expect(counts.late).toBeGreaterThan(50);
  expect(counts.joined).toBeGreaterThan(20);
});

test("what a restored catalog has forgotten is given back to it, in 400 lives", async () => {
  const { runs, failure, counts } = await tryLives({ seed: 2, runs: 400, restores: true });
  expect(failure).toBeUndefined();
  expect(runs).toBe(400);
  expect(counts.restores).toBeGreaterThan(100);
  expect(counts.adopted).toBeGreaterThan(100);
  expect(counts.joined).toBeGreaterThan(20);
});

describe("the lives notice", () => {
  test.for(Object.entries(plantedInKeys))("%s", async ([, planted]) => {
    const { failure } = await tryLives({ seed: 3, runs: 4_000, restores: true, planted });
    expect(failure).toBeDefined();
  });
});
