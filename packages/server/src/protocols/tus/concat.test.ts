import { describe, expect, it } from "vitest";

import { parseConcat } from "./concat.ts";

const base = "https://a.example/x";
const first = "0b0c0d0e-1111-4222-8333-444455556666";
const second = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

describe("Upload-Concat", () => {
  it.for([
    [undefined, { kind: "none" }],
    ["partial", { kind: "partial" }],
    [`final;/uploads/${first}`, { kind: "final", of: [first] }],
    [`final; /uploads/${first}  ${second}`, { kind: "final", of: [first, second] }],
    [`final;https://b.example/uploads/${first}/ ${first}`, { kind: "final", of: [first, first] }],
    [`final;${base}/uploads/${first} /x/uploads/${first}`, { kind: "final", of: [first, first] }],
  ] as const)("%j is read", ([header, expected]) => {
    expect(parseConcat(header, base)).toEqual(expected);
  });

  it.for([
    "",
    "Partial",
    "final",
    "final;",
    "final; ",
    "partial;/uploads/a",
    "final;/uploads/a",
    `final;/files/${first}`,
    `final;/uploads/${first}/more`,
    `final;/uploads/${first},/uploads/${second}`,
    `final;/y/uploads/${first}`,
    `final;/uploads/${first}/uploads/${second}`,
    "final;http://[",
  ])("%j is refused", (header) => {
    expect(() => parseConcat(header, base)).toThrow(/parameter_invalid.*Upload-Concat/);
  });
});
