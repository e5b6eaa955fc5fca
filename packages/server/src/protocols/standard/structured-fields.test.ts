import { describe, expect, it } from "vitest";

import { booleanOf, byteSequencesOf, dictionaryOf, integerOf } from "./structured-fields.ts";

describe("a structured field", () => {
  it.for([
    ["0", 0],
    ["  7 ", 7],
    ["123456789012345", 123_456_789_012_345],
    ["5;a=b", 5],
    ["1234567890123456", undefined],
    ["-1", undefined],
    ["5.0", undefined],
    ["5, 6", undefined],
    ['"5"', undefined],
    ["?1", undefined],
    ["", undefined],
    [undefined, undefined],
  ] as const)("%j as a non-negative integer is %j", ([header, value]) => {
    expect(integerOf(header)).toBe(value);
  });

  it.for([
    ["?1", true],
    ["?0", false],
    ["?1;a", true],
    ["1", undefined],
    ["?1, ?1", undefined],
    ["true", undefined],
    [undefined, undefined],
  ] as const)("%j as a boolean is %j", ([header, value]) => {
    expect(booleanOf(header)).toBe(value);
  });

  it("that is a dictionary is read by key, and is empty where it cannot be read", () => {
    const read = dictionaryOf("a=1, b=(1 2), c;x=2, d=?0");
    expect(Object.fromEntries(read)).toEqual({ a: 1, c: true, d: false });
    expect(dictionaryOf("a=").size).toBe(0);
    expect(dictionaryOf("a=1, ,b").size).toBe(0);
    expect(dictionaryOf(undefined).size).toBe(0);
  });

  it("of byte sequences leaves out what is none", () => {
    const read = byteSequencesOf('sha-256=:aGk=:, other="text"');
    expect([...read].map(([key, value]) => [key, Buffer.from(value).toString()])).toEqual([
      ["sha-256", "hi"],
    ]);
  });
});
