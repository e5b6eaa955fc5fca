import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "prettier";
import { expect, it, onTestFinished } from "vitest";
import { replaceMarked, rewritePage } from "./marked-section.ts";
import { promisesSection, readKeptLines } from "./promises-table.ts";

const origin = { date: "2026-01-02", commit: "abc", machine: "a machine" };

const kept = [
  { kind: "trials", promise: "it holds", fault: "a cut", n: 100, seed: 7, met: "9 late", origin },
  { kind: "trials", promise: "it holds", fault: "a kill", n: 30, seed: 0, origin },
  { kind: "planted", harness: "a cut", planted: "no sync", noticedAfter: 3, as: "a|b\nc", origin },
  { kind: "trials", promise: "it holds", fault: "a cut", n: 200, seed: 8, origin },
  { kind: "skipped", test: "cuts on xfs", reason: "not root", origin },
];

const linesOf = (values: readonly object[]) =>
  readKeptLines(values.map((value) => `${JSON.stringify(value)}\n`).join(""));

it("lines of the same promise and fault are one row: trials added, seeds listed", () => {
  const rows = promisesSection(linesOf(kept)).split("\n");
  expect(rows).toContain("| it holds | a cut | 300 | 0 | 0.010 | 7; 8 | 9 late |");
  expect(rows).toContain("| it holds | a kill | 30 | 0 | 0.10 | none |  |");
  expect(rows.filter((row) => row.startsWith("| it holds"))).toHaveLength(2);
});

it("a planted fault is told with its trial, in one line and one cell", () => {
  expect(promisesSection(linesOf(kept)).split("\n")).toContain("| no sync | a cut | 3 | a\\|b |");
});

it("what was not run is told, and where everything was run, once", () => {
  const section = promisesSection(linesOf(kept));
  expect(section).toContain("| cuts on xfs | not root |");
  expect(section.split("\n")[0]).toBe("Run on 2026-01-02 at commit abc on a machine.");
});

it("lines of other runs, or without an origin, are not passed off as this one's", () => {
  const other = { ...kept[1], origin: { ...origin, commit: "def" } };
  const section = promisesSection(linesOf([...kept, other, { ...kept[1], origin: undefined }]));
  expect(section.split("\n")[0]).toBe(
    "Run on 2026-01-02 at commit abc on a machine; on 2026-01-02 at commit def on a machine; " +
      "at a time and place that were not recorded.",
  );
});

it("without results the section says that the command has not been run", () => {
  expect(promisesSection([])).toBe("The command has not been run yet: `npm run promises`.");
});

it("a line that no campaign wrote is refused", () => {
  expect(() => readKeptLines('{"kind":"guess"}\n')).toThrow("line 1 is not one of a campaign");
});

it("a page keeps what is outside of the markers, and is formatted", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hawser-page-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "page.md");
  await writeFile(
    file,
    "# Before\n\n<!-- begin promises -->\n\nof a year ago\n\n<!-- end promises -->\n\nAfter.\n",
  );
  for (let time = 0; time < 2; time += 1) {
    await rewritePage(file, [{ name: "promises", content: promisesSection(linesOf(kept)) }]);
  }
  const page = await readFile(file, "utf8");
  expect(page.startsWith("# Before\n\n<!-- begin promises -->\n\nRun on")).toBe(true);
  expect(page.endsWith("<!-- end promises -->\n\nAfter.\n")).toBe(true);
  expect(page).not.toContain("of a year ago");
  expect(await check(page, { parser: "markdown" })).toBe(true);
});

it("a page without the markers is refused", () => {
  expect(() => replaceMarked("# Page", { name: "promises", content: "" })).toThrow(
    "begin promises",
  );
});
