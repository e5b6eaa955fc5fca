import { describe, expect, it } from "vitest";

import { typeAgrees } from "./sniff.ts";

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

describe("what a file begins with", () => {
  it("agrees with its type, under either name of it", () => {
    expect(typeAgrees("image/png", png)).toBe(true);
    const jpeg = Buffer.from("ffd8ffe000104a46494600010100", "hex");
    expect(typeAgrees("image/jpeg", jpeg)).toBe(true);
    expect(typeAgrees("image/jpg", jpeg)).toBe(true);
  });

  it("disagrees with another one", () => {
    expect(typeAgrees("image/jpeg", png)).toBe(false);
  });

  it("says nothing where nobody knows it", () => {
    expect(typeAgrees("image/png", Buffer.from("no magic in this"))).toBeUndefined();
  });

  it("does not disagree with bytes that were declared to be any", () => {
    expect(typeAgrees("application/octet-stream", png)).toBeUndefined();
  });
});
