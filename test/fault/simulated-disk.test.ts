import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { trySchedules } from "./simulation/campaign.ts";
import { Chance } from "./simulation/chance.ts";
import { breakdown, plantedFaults } from "./simulation/planted-faults.ts";
import { anySchedule, type Schedule } from "./simulation/schedule.ts";
import { SimulatedFile } from "./simulation/simulated-file.ts";
import { simulate } from "./simulation/simulation.ts";

test("no acknowledged byte is lost in 400 schedules on a disk that forgets", async () => {
  const { schedules, counts, failure } = await trySchedules({
    seed: 1,
    schedules: 400,
    shrinks: true,
  });
  expect(failure?.report).toBeUndefined();
  expect(schedules).toBe(400);
  // It was no empty exercise.
  expect(counts.crashes).toBeGreaterThan(400);
  expect(counts.commits).toBeGreaterThan(400);
  expect(counts.completions).toBeGreaterThan(200);
  expect(counts.faults).toBeGreaterThan(20);
  expect(counts.lengths).toBeGreaterThan(20);
  expect(counts.mismatches).toBeGreaterThan(10);
});

test("the same schedule happens the same way twice, and another one otherwise", async () => {
  const hashes = async (schedules: readonly Schedule[]): Promise<string[]> => {
    const all: string[] = [];
    for (const schedule of schedules) {
      const { trace } = await simulate(schedule);
      all.push(createHash("sha256").update(trace.join("\n")).digest("hex"));
    }
    return all;
  };
  const schedules = fc.sample(anySchedule, { seed: 2, numRuns: 60 });
  const first = await hashes(schedules);
  expect(await hashes(schedules)).toEqual(first);
  const others = schedules.map((schedule) => ({ ...schedule, seed: schedule.seed + 1 }));
  expect(await hashes(others)).not.toEqual(first);
});

describe.for(plantedFaults)("planted: $name", ({ planted, fenceAlone }) => {
  test("is noticed", async () => {
    const options = { seed: 1, schedules: 5_000, planted, fenceAlone, shrinks: false };
    const { failure } = await trySchedules(options);
    expect(failure?.problem).toBeDefined();
    expect(failure?.problem).not.toMatch(breakdown);
    expect(failure?.unplanted).toBeUndefined();
  });
});

describe("the simulated file", () => {
  const bytes = Buffer.alloc(2_000, 7);

  test("keeps through a power cut what was written before its last sync began", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const file = new SimulatedFile();
      file.write(bytes, 0);
      const sync = file.beginSync();
      file.write(bytes, bytes.length);
      file.endSync(sync);
      expect(file.durable(9_000)).toEqual(bytes);
      file.losePower(new Chance(seed));
      expect(file.content(0, bytes.length)).toEqual(bytes);
    }
  });

  test("loses some of what was not synced, block by block, and keeps some", () => {
    const kept = new Set<string>();
    for (let seed = 0; seed < 1_000; seed += 1) {
      const file = new SimulatedFile();
      file.write(bytes, 0);
      file.losePower(new Chance(seed));
      const left = file.content(0, bytes.length);
      const blocks = [0, 512, 1_024, 1_536].map((at) => left[at] === 7);
      kept.add(`${left.length} ${blocks.join(" ")}`);
    }
    // Nothing at all, everything, and holes before bytes that were written later.
    expect(kept).toContain("0 false false false false");
    expect(kept).toContain("2000 true true true true");
    expect(kept).toContain("2000 false true true true");
  });

  test("after a sync that failed a second one succeeds and the bytes are gone", () => {
    const lost = Array.from({ length: 50 }, (_, seed) => {
      const file = new SimulatedFile();
      const chance = new Chance(seed);
      file.write(bytes, 0);
      file.failSync(file.beginSync(), chance);
      file.endSync(file.beginSync());
      file.losePower(chance);
      return !file.content(0, bytes.length).equals(bytes);
    });
    expect(lost.filter(Boolean).length).toBeGreaterThan(25);
  });
});
