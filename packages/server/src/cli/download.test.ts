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
  const place = await choosePlace({ id: "77", name }, directory, false);
  expect(place).toBe(join(directory, placed));
});

test("a place that is taken is refused unless overwriting is wanted", async () => {
  const place = join(directory, "a.pdf");
  await writeFile(place, "");
  await expect(choosePlace({ id: "77" }, place, false)).rejects.toThrow(/exists already/);
  expect(await choosePlace({ id: "77" }, place, true)).toBe(place);
});
