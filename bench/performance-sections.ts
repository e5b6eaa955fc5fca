import { originWords } from "../test/support/run-origin.ts";
import type { FigureGroup } from "./figure.ts";
import type { KeptFigure } from "./kept-figures.ts";
import { shortTableOf, tableOf } from "./table.ts";

const plotWords = "Bars of each figure against its bound";

interface Group {
  readonly name: FigureGroup;
  readonly heading: string;
  readonly words: string;
}

const groups: Readonly<Record<FigureGroup, Group>> = {
  "many nodes": {
    name: "many nodes",
    heading: "### Several nodes: Postgres and S3",
    words:
      "The catalog is in a Postgres of the measurement's own, the bytes are in a Ceph of its own " +
      "that keeps them in memory, and both share the machine with the servers that are measured: " +
      "rates are those of the store, CPU time is the server's alone. `lib-storage` is AWS's own " +
      "uploader behind a bare `node:http`, with the client settings, part size, parts in flight " +
      "and digest that Hawser uses; what it was sent cannot be resumed.",
  },
};

/** What the pages say between their markers: docs/performance.md, and the front page in short. */
export function performanceSections(kept: readonly KeptFigure[]): {
  readonly page: string;
  readonly front: string;
} {
  const summary = summaryOf(kept);
  const sections = [undefined, ...Object.values(groups)].flatMap((group) => sectionOf(kept, group));
  return {
    page: [
      `Each figure's run:${warningOf(kept)}`,
      originsOf(kept),
      ...sections,
      `![${plotWords}](performance.svg)`,
    ].join("\n\n"),
    front: [`![${plotWords}](docs/performance.svg)`, shortTableOf(kept), summary].join("\n\n"),
  };
}

/** The table of one group below its heading; nothing where nothing of it was measured. */
function sectionOf(kept: readonly KeptFigure[], group: Group | undefined): string[] {
  const figures = kept.filter((figure) => figure.group === group?.name);
  if (figures.length === 0) return [];
  return [...(group === undefined ? [] : [group.heading, group.words]), tableOf(figures)];
}

/** Which figures came from which run, and of how many rounds each is the median. */
function originsOf(kept: readonly KeptFigure[]): string {
  const runs = Map.groupBy(kept, (figure) => `${originWords([figure])} ${roundsOf([figure])}`);
  const lines = Array.from(runs, ([words, figures]) => {
    const names = figures.map(({ name }) => `\`${name}\``);
    return `- ${words} ${names.join(", ")}`;
  });
  return lines.join("\n");
}

function summaryOf(kept: readonly KeptFigure[]): string {
  return `${originWords(kept)} ${roundsOf(kept)}${warningOf(kept)}`;
}

function roundsOf(kept: readonly KeptFigure[]): string {
  const rounds = [...new Set(kept.map((figure) => figure.rounds))].sort((a, b) => a - b);
  return `Medians of ${rounds.join(" or ")} interleaved rounds.`;
}

function warningOf(kept: readonly KeptFigure[]): string {
  const small = [...new Set(kept.map(({ scale }) => scale).filter((scale) => scale !== 1))];
  if (small.length === 0) return "";
  return ` Some figures are of a quick look at ${small.join(" and ")} of the full size: no results.`;
}
