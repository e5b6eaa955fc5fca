import { originWords } from "../test/support/run-origin.ts";
import type { KeptFigure } from "./kept-figures.ts";
import { shortTableOf, tableOf } from "./table.ts";

const plotWords = "Bars of each figure against its bound";

/** What the pages say between their markers: docs/performance.md, and the front page in short. */
export function performanceSections(kept: readonly KeptFigure[]): {
  readonly page: string;
  readonly front: string;
} {
  const summary = summaryOf(kept);
  return {
    page: [summary, tableOf(kept), `![${plotWords}](performance.svg)`].join("\n\n"),
    front: [`![${plotWords}](docs/performance.svg)`, shortTableOf(kept), summary].join("\n\n"),
  };
}

function summaryOf(kept: readonly KeptFigure[]): string {
  const origins = kept.map(({ date, commit, machine }) => ({
    date: date ?? "an unrecorded day",
    commit: commit ?? "unrecorded",
    machine,
  }));
  const rounds = [...new Set(kept.map((figure) => figure.rounds))].sort((a, b) => a - b);
  const medians = `Medians of ${rounds.join(" or ")} interleaved rounds.`;
  const small = [...new Set(kept.map(({ scale }) => scale).filter((scale) => scale !== 1))];
  const warning =
    small.length === 0
      ? ""
      : ` Some figures are of a quick look at ${small.join(" and ")} of the full size: no results.`;
  return `${originWords(origins)} ${medians}${warning}`;
}
