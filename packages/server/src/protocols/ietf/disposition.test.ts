import { describe, expect, it } from "vitest";

import { fileNameOf } from "./disposition.ts";

describe("the file's name in a Content-Disposition", () => {
  it.for([
    [undefined, undefined],
    ["inline", undefined],
    ["filename=x", undefined],
    ["inline; filename=x.pdf", "x.pdf"],
    ['inline;filename="a b.pdf"', "a b.pdf"],
    ['inline; FileName="a.pdf"; other="b"', "a.pdf"],
    ['inline; other="filename=no"; filename=yes', "yes"],
    ['inline; filename="a\\"b\\\\c"', 'a"b\\c'],
    ['inline; filename="a; filename=b"', "a; filename=b"],
    ["inline; filename=a; filename*=UTF-8''b%20c", "b c"],
    ["inline; filename*=utf-8'en'%e2%82%ac", "€"],
    ["inline; filename*=ISO-8859-1''%A3; filename=a", "a"],
    ["inline; filename*=UTF-8''%ff; filename=a", "a"],
    ["inline; filename*=UTF-8''%; filename=a", "a"],
    [`inline; filename="${Buffer.from("größe").toString("latin1")}"`, "größe"],
    [`inline; filename="gr\u00f6\u00dfe"`, "größe"],
    ['form-data; name="f"; filename=""', ""],
    ["inline; =; filename=a", undefined],
  ] as const)("%j is %j", ([header, name]) => {
    expect(fileNameOf(header)).toBe(name);
  });
});
