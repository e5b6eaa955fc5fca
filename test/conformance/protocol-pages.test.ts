import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { repositoryDirectory } from "../support/server-process.ts";

const directory = join(repositoryDirectory, "docs/protocols");
const pages = await readdir(directory);

/** `file` > name > name, as many as a cell of a table has. */
function namedTests(page: string): { readonly file: string; readonly names: readonly string[] }[] {
  const cells = page.split("\n").flatMap((line) => line.split(/<br>| \| /));
  return cells.flatMap((cell) => {
    const [, file, rest = ""] = /`(test\/[^`]+\.ts)` > (.+?)(?: \|)?$/.exec(cell.trim()) ?? [];
    return file === undefined ? [] : [{ file, names: rest.split(" > ") }];
  });
}

/** As the name may stand between quotes of either kind, or in a template. */
function isIn(source: string, name: string): boolean {
  const asWritten = name.replaceAll('"', '\\"').replace(/%d\)$/, "");
  return source.includes(name) || source.includes(asWritten);
}

describe.each(pages)("docs/protocols/%s", (name) => {
  it("names tests that are there", async () => {
    const page = await readFile(join(directory, name), "utf8");
    const missing: string[] = [];
    for (const { file, names } of namedTests(page)) {
      const source = await readFile(join(repositoryDirectory, file), "utf8").catch(() => "");
      for (const part of names) if (!isIn(source, part)) missing.push(`${file}: ${part}`);
    }
    expect(missing).toEqual([]);
  });
});
