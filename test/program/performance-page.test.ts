import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Row } from "../../bench/figure.ts";
import { readKeptFigures, type KeptFigure } from "../../bench/kept-figures.ts";
import { performanceSections } from "../../bench/performance-sections.ts";
import { plotOf, reachOf } from "../../bench/plot.ts";

const ofPeer = { what: "rateMBs", of: "Hawser", to: "peer", value: 90, otherValue: 60, ratio: 1.5 };
const faster: Row = { ...ofPeer, least: 2 };
const cheaper: Row = { ...ofPeer, what: "cpuSecondsPerGB", most: 2 };
const missing: Row = {
  ...{ what: "rateMBs", of: "Hawser", to: "nginx", value: 90, most: 1 },
  ...{ otherValue: undefined, ratio: undefined, note: "nginx is not installed" },
};
const inTime: Row = { ...ofPeer, what: "p99Ms", most: 100, judge: "value" };

const machine = { machine: "a machine", date: "2026-01-02", commit: "abc" };
const kept: KeptFigure = {
  ...{ name: "first", title: "one <big> body", rounds: 5, scale: 1, ...machine },
  rows: [faster, cheaper, missing, inTime],
};

/** Cells without the room around them. */
const rowsOf = (section: string) => section.split("\n").filter((line) => line.startsWith("| one"));

it("the page tells of every comparison whether its bound was kept", () => {
  expect(rowsOf(performanceSections([kept]).page)).toEqual([
    "| one \\<big\\> body | MB/s | 90.0 | peer: 60.0 | 1.50 | at least 2 | missed |",
    "| one \\<big\\> body | CPU s/GB | 90.0 | peer: 60.0 | 1.50 | at most 2 | kept |",
    "| one \\<big\\> body | MB/s | 90.0 | nginx: nginx is not installed | - | at most 1 | nginx is not installed |",
    "| one \\<big\\> body | ms, p99 | 90.0 | peer: 60.0 | 1.50 | at most 100 ms, p99 | kept |",
  ]);
});

it("the page names the figures of each run with their rounds", () => {
  const later: KeptFigure = { ...kept, name: "later", rounds: 3 };
  const lines = performanceSections([kept, later, { ...kept, name: "third" }]).page.split("\n");
  expect(lines.filter((line) => line.startsWith("- "))).toEqual([
    "- Run on 2026-01-02 at commit abc on a machine. Medians of 5 interleaved rounds. `first`, `third`",
    "- Run on 2026-01-02 at commit abc on a machine. Medians of 3 interleaved rounds. `later`",
  ]);
});

it("figures of several nodes have a table of their own, where there are any", () => {
  const heading = "### Several nodes";
  expect(performanceSections([kept]).page).not.toContain(heading);
  const shared: KeptFigure = { ...kept, group: "many nodes", title: "one shared", rows: [faster] };
  const { page } = performanceSections([kept, shared]);
  const [alone = "", together = ""] = page.split(heading);
  expect(rowsOf(alone)).toHaveLength(kept.rows.length);
  expect(rowsOf(together)).toEqual([
    "| one shared | MB/s | 90.0 | peer: 60.0 | 1.50 | at least 2 | missed |",
  ]);
});

it("the front page has the unit beside the value, and tells which bound was missed", () => {
  expect(rowsOf(performanceSections([kept]).front).slice(0, 2)).toEqual([
    "| one \\<big\\> body | 90.0 MB/s | peer: 60.0 | 1.50 | at least 2 | missed |",
    "| one \\<big\\> body | 90.0 CPU s/GB | peer: 60.0 | 1.50 | at most 2 | kept |",
  ]);
});

it("a quick look is not passed off as a result", () => {
  expect(performanceSections([kept]).page).not.toContain("quick look");
  expect(performanceSections([kept, { ...kept, scale: 0.05 }]).page).toContain(
    "quick look at 0.05 of the full size",
  );
});

it("a bar reaches the line exactly when its bound is kept, whichever way the bound goes", () => {
  expect(reachOf(faster)).toBe(0.75);
  expect(reachOf(cheaper)).toBeCloseTo(4 / 3);
  expect(reachOf(inTime)).toBeCloseTo(100 / 90);
  expect(reachOf(missing)).toBeUndefined();
  const plot = plotOf([kept]);
  expect(plot.match(/<rect class="(kept|missed)"/g)).toEqual([
    '<rect class="missed"',
    '<rect class="kept"',
    '<rect class="kept"',
  ]);
  expect(plot).toContain("one &lt;big&gt; body, MB/s");
});

it("kept figures come in the order of the table, and what was not measured is no number", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hawser-figures-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "figures.json");
  expect(await readKeptFigures(file, [])).toBeUndefined();
  const second = { ...kept, title: "second", rows: [{ ...faster, value: NaN }] };
  await writeFile(file, JSON.stringify({ later: second, first: kept }));
  const read = await readKeptFigures(file, ["first", "later"]);
  expect(read?.map(({ title }) => title)).toEqual(["one <big> body", "second"]);
  expect(read?.[1]?.rows[0]?.value).toBeNaN();
});
