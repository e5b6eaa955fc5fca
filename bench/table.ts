import type { Result } from "./bench-run.ts";
import type { Row } from "./figure.ts";

/** The results as a Markdown table: a row a comparison, and whether it kept its bound. */
export function tableOf(results: readonly Result[]): string {
  const lines = results.flatMap(({ figure, rows }) =>
    rows.map((row) => `| ${figure.title} | ${cells(row).join(" | ")} |`),
  );
  return [
    "| figure | measured | Hawser | against | ratio | to reach | |",
    "|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

function cells(row: Row): string[] {
  const other = row.to === undefined ? "" : `${row.to}: ${number(row.otherValue)}`;
  return [
    row.what,
    number(row.value),
    other,
    number(row.ratio),
    boundOf(row),
    row.note ?? (keepsBound(row) ? "kept" : "missed"),
  ];
}

export function boundOf(row: Row): string {
  if (row.most !== undefined) return `at most ${row.most}`;
  if (row.least !== undefined) return `at least ${row.least}`;
  return "";
}

export function keepsBound({ ratio, value, judge, ...bounds }: Row): boolean {
  const { most = Infinity, least = -Infinity } = bounds;
  const judged = judge === "value" ? value : (ratio ?? value);
  return judged <= most && judged >= least;
}

export function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
