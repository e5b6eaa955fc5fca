import { describe, expect, it } from "vitest";
import { systemRandom } from "./random.ts";

describe("systemRandom", () => {
  it("gives as many bytes as asked for, and never the same twice", () => {
    const draws = Array.from({ length: 2_000 }, () => systemRandom.bytes(16).toString("hex"));
    expect(new Set(draws).size).toBe(draws.length);
    expect(draws.every((draw) => draw.length === 32 && draw !== "0".repeat(32))).toBe(true);
    expect(systemRandom.bytes(10_000).length).toBe(10_000);
  });

  it("gives bytes that stay what they are", () => {
    const first = systemRandom.bytes(32);
    const before = first.toString("hex");
    for (let draw = 0; draw < 500; draw += 1) systemRandom.bytes(32);
    expect(first.toString("hex")).toBe(before);
  });
});
