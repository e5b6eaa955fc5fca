import { markdownTable } from "./marked-section.ts";
import { originWords, type RunOrigin } from "./run-origin.ts";
import type { PlantedFault, Trials } from "./trials.ts";

/** A test that did not run, so that the table does not keep silent about what it lacks. */
export interface SkippedTest {
  readonly test: string;
  readonly reason: string;
}

interface Origin {
  readonly origin?: RunOrigin;
}

/** One line of the file that campaigns add to. */
export type KeptLine =
  | ({ readonly kind: "trials" } & Trials & Origin)
  | ({ readonly kind: "planted" } & PlantedFault & Origin)
  | ({ readonly kind: "skipped" } & SkippedTest & Origin);

const kinds: readonly unknown[] = ["trials", "planted", "skipped"];

export function readKeptLines(text: string): KeptLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      const value: unknown = JSON.parse(line);
      const isKnown =
        typeof value === "object" &&
        value !== null &&
        "kind" in value &&
        kinds.includes(value.kind);
      if (!isKnown) throw new Error(`line ${index + 1} is not one of a campaign: ${line}`);
      // Written by trials.ts and promises.ts, whose types these are.
      return value as KeptLine;
    });
}

const notRun = "The command has not been run yet: `npm run promises`.";

/** Everything between the markers of docs/promises.md. */
export function promisesSection(lines: readonly KeptLine[]): string {
  const trials = lines.filter((line) => line.kind === "trials");
  if (trials.length === 0) return notRun;
  const planted = lines.filter((line) => line.kind === "planted");
  const skipped = lines.filter((line) => line.kind === "skipped");
  const paragraphs = [originWords(lines.map(({ origin }) => origin)), trialsTable(trials)];
  if (planted.length > 0) {
    paragraphs.push(
      "Faults put in on purpose, and how soon they were noticed:",
      plantedTable(planted),
    );
  }
  if (skipped.length > 0) {
    paragraphs.push("Not run there:", markdownTable(["test", "why"], skippedRows(skipped)));
  }
  return paragraphs.join("\n\n");
}

/** A campaign that sees a promise broken fails and keeps no line: what is kept broke none. */
const broken = 0;

function trialsTable(all: readonly Trials[]): string {
  const rows = grouped(all, ({ promise, fault }) => [promise, fault]).map((same) => {
    const [{ promise, fault }] = same;
    const n = same.reduce((sum, trials) => sum + trials.n, 0);
    return [
      promise,
      fault,
      ...[n, broken, (3 / n).toPrecision(2)].map(String),
      seedsOf(same.map(({ seed }) => seed)),
      listed(same.map(({ met }) => met ?? "")),
    ];
  });
  const head = ["promise", "fault", "trials n", "broken", "95 % upper bound 3/n", "seed", "met"];
  return markdownTable(head, rows);
}

function plantedTable(all: readonly PlantedFault[]): string {
  const rows = grouped(all, ({ planted, harness }) => [planted, harness]).map((same) => {
    const [{ planted, harness }] = same;
    const as = shortened(same.at(-1)?.as ?? "");
    return [planted, harness, listed(same.map(({ noticedAfter }) => String(noticedAfter))), as];
  });
  return markdownTable(["planted fault", "harness", "noticed in trial", "as"], rows);
}

function skippedRows(all: readonly SkippedTest[]): string[][] {
  return grouped(all, ({ test, reason }) => [test, reason]).map(([{ test, reason }]) => [
    test,
    shortened(reason),
  ]);
}

type Group<Item> = [Item, ...Item[]];

/** In the order in which each was first met. */
function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => readonly string[],
): Group<Item>[] {
  const groups = new Map<string, Group<Item>>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

const listedMax = 4;

/** Every trial without chance has the seed 0, which no campaign takes. */
function seedsOf(seeds: readonly number[]): string {
  return listed(seeds.filter((seed) => seed !== 0).map(String)) || "none";
}

function listed(texts: readonly string[]): string {
  const different = [...new Set(texts.filter((text) => text !== ""))];
  const shown = different.slice(0, listedMax).join("; ");
  const more = different.length - listedMax;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

const wordsMax = 160;

function shortened(text: string): string {
  const [first = ""] = text.split("\n");
  return first.length > wordsMax ? `${first.slice(0, wordsMax)}...` : first;
}
