import { readFile } from "node:fs/promises";

import { namesOne, testTitles, type TitlePattern } from "./test-titles.ts";

const testFile = String.raw`\`((?:test|packages)/[^\`]+\.(?:test|campaign)\.ts)\``;
/** A test in a document: its file, then the titles that lead to it, up to the cell's end. */
const reference = new RegExp(`${testFile} > (.+?)(?=<br>|\\s*\\||\\s*$)`, "g");
const anyFile = new RegExp(testFile, "g");

export interface References {
  /** How many tests the document names. */
  readonly tests: number;
  /** What it names that does not exist, each with its line. */
  readonly unproven: readonly string[];
}

/** Looks up every test that a document names; `root` is the repository's directory. */
export async function lookUpReferences(markdown: string, root: URL): Promise<References> {
  const files = new Map<string, Promise<TitlePattern[][] | undefined>>();
  const titlesOf = (file: string): Promise<TitlePattern[][] | undefined> => {
    const known = files.get(file) ?? titlesIn(file, root);
    files.set(file, known);
    return known;
  };
  const unproven: string[] = [];
  let tests = 0;
  for (const [index, line] of markdown.split("\n").entries()) {
    for (const [, file = ""] of line.matchAll(anyFile)) {
      if ((await titlesOf(file)) === undefined) unproven.push(`${index + 1}: no file ${file}`);
    }
    for (const [, file = "", name = ""] of line.matchAll(reference)) {
      tests += 1;
      const titles = await titlesOf(file);
      if (titles === undefined || namesOne(titles, name)) continue;
      unproven.push(`${index + 1}: no test "${name}" in ${file}`);
    }
  }
  return { tests, unproven };
}

async function titlesIn(file: string, root: URL): Promise<TitlePattern[][] | undefined> {
  const text = await readFile(new URL(file, root), "utf8").catch(() => undefined);
  return text === undefined ? undefined : testTitles(file, text);
}
