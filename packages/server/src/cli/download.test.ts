import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { choosePlace } from "./download.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-get-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

test.each([
  ["a.pdf", "a.pdf"],
  ["../../etc/passwd", "passwd"],
  ["..\\..\\x", "x"],
  ["..", "77"],
  ["", "77"],
])("a file named %j by the server stays in the directory, as %s", async (name, placed) => {
  const place = await choosePlace({ id: "77", name }, { wanted: directory });
  expect(place).toBe(join(directory, placed));
});

test.each([
  ["win32", "c:x.pdf", "c_x.pdf"],
  ["win32", "a.pdf:b", "a.pdf_b"],
  ["win32", "C:\\x\\a.pdf", "a.pdf"],
  ["win32", 'a<b>"c"|d?*.pdf', "a_b__c__d__.pdf"],
  ["win32", "a\u0007\u007f.pdf", "a__.pdf"],
  ["win32", "a.pdf. .", "a.pdf"],
  ["win32", ". .", "77"],
  ["win32", ".gitignore", ".gitignore"],
  ["win32", "CON", "77"],
  ["win32", "nul.tar.gz", "77"],
  ["win32", "Com1 .pdf", "77"],
  ["win32", "LPT³", "77"],
  ["win32", "conin$", "77"],
  ["win32", "console.pdf", "console.pdf"],
  ["win32", "com10.pdf", "com10.pdf"],
  ["linux", "c:x.pdf", "c:x.pdf"],
  ["linux", "con", "con"],
  ["linux", "a? ", "a? "],
] as const)("on %s a file named %j by the server becomes %s", async (platform, name, placed) => {
  const place = await choosePlace({ id: "77", name }, { wanted: directory, platform });
  expect(place).toBe(join(directory, placed));
});

test("a place that is taken is refused unless overwriting is wanted", async () => {
  const place = join(directory, "a.pdf");
  await writeFile(place, "");
  await expect(choosePlace({ id: "77" }, { wanted: place })).rejects.toThrow(/exists already/);
  expect(await choosePlace({ id: "77" }, { wanted: place, overwrite: true })).toBe(place);
});
