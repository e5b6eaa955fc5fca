import { describe, expect, it } from "vitest";

import { firstStrangeByte, patternBytes, patternChunks, SeededRandom } from "./seeded.ts";

describe("the byte pattern", () => {
  it("is the same from any starting point", () => {
    const whole = patternBytes({ seed: 3, length: 1000 });
    for (const start of [0, 1, 2, 3, 4, 5, 511, 999]) {
      const part = patternBytes({ seed: 3, start, length: 1000 - start });
      expect(part.equals(whole.subarray(start))).toBe(true);
    }
  });

  it("comes in chunks that join to the whole", () => {
    const chunks = [...patternChunks({ seed: 9, start: 7, length: 10_001 }, 4096)];
    expect(chunks.map((chunk) => chunk.length)).toEqual([4096, 4096, 1809]);
    const whole = patternBytes({ seed: 9, start: 7, length: 10_001 });
    expect(Buffer.concat(chunks).equals(whole)).toBe(true);
  });

  it("notices a byte that is shifted, foreign or damaged", () => {
    const bytes = patternBytes({ seed: 5, start: 100, length: 64 });
    expect(firstStrangeByte(bytes, { seed: 5, start: 100 })).toBeUndefined();
    expect(firstStrangeByte(bytes, { seed: 5, start: 101 })).toBeTypeOf("number");
    expect(firstStrangeByte(bytes, { seed: 6, start: 100 })).toBeTypeOf("number");
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    expect(firstStrangeByte(bytes, { seed: 5, start: 100 })).toBe(140);
  });

  it("does not repeat beyond four gigabytes", () => {
    const low = patternBytes({ seed: 1, length: 64 });
    const high = patternBytes({ seed: 1, start: 2 ** 34, length: 64 });
    expect(low.equals(high)).toBe(false);
  });
});

describe("the seeded generator", () => {
  it("gives the same sequence for the same seed and another for another", () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 20 }, () => random.integer(0, 1_000_000));
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("keeps to its bounds and reaches both of them", () => {
    const random = new SeededRandom(4);
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(3, 6)));
    expect([...drawn].sort()).toEqual([3, 4, 5, 6]);
  });
});
