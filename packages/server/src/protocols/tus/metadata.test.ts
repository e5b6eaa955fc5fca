import { describe, expect, it } from "vitest";

import { metadataOf, parseMetadata, textOf } from "./metadata.ts";

function parsed(header: string): Record<string, string> {
  return Object.fromEntries(
    [...parseMetadata(header)].map(([key, value]) => [key, value.toString()]),
  );
}

describe("metadata", () => {
  it.for([
    ["filename cGxhbi5wZGY=", { filename: "plan.pdf" }],
    ["filename cGxhbi5wZGY=,is_confidential", { filename: "plan.pdf", is_confidential: "" }],
    ["a ,b", { a: "", b: "" }],
    ["a YQ==, b Yg==", { a: "a", b: "b" }],
    ["", {}],
    ["  ", {}],
  ] as const)("%j is read", ([header, expected]) => {
    expect(parsed(header)).toEqual(expected);
  });

  it("that is missing says nothing", () => {
    expect(parseMetadata(undefined).size).toBe(0);
  });

  it.for([
    ",",
    "a,",
    "a,,b",
    " ,a",
    "a YQ==,a",
    "a YQ== YQ==",
    "a  YQ==",
    "a YQ",
    "a YQ=",
    "a Y===",
    "a ====",
    "a __-_",
    "a YQ==YQ==",
    "filename plan.pdf",
  ])("%j is refused", (header) => {
    expect(() => parseMetadata(header)).toThrow(/parameter_invalid.*Upload-Metadata/);
  });

  it("comes out of pairs as it goes in", () => {
    const header = metadataOf({ filename: "größe ✓.pdf", filetype: "image/png" });
    expect(parsed(header)).toEqual({ filename: "größe ✓.pdf", filetype: "image/png" });
  });

  it("is looked through for the first key that says something", () => {
    const metadata = parseMetadata(metadataOf({ filename: "", name: "b", type: "c" }));
    expect(textOf(metadata, ["filename", "name"])).toBe("b");
    expect(textOf(metadata, ["filetype"])).toBeUndefined();
  });
});
