import { markdownTable } from "../test/support/marked-section.ts";
import type { Row } from "./figure.ts";

/** The rows of one figure, whether just measured or read from a file. */
export interface Compared {
  readonly title: string;
  readonly rows: readonly Row[];
}

type Column = (title: string, row: Row) => string;

const columns: Readonly<Record<string, Column>> = {
  figure: (title) => title,
  measured: (_title, row) => measuredWords(row),
  Hawser: (_title, row) => (row.of === "Hawser" ? "" : `${row.of}: `) + number(row.value),
  against: (_title, row) => (row.to === undefined ? "" : `${row.to}: ${otherWords(row)}`),
  ratio: (_title, row) => number(row.ratio),
  "to reach": (_title, row) => boundOf(row),
  "": (_title, row) => verdictOf(row),
};

/** For the front page: the unit beside the value. */
const shortColumns: Readonly<Record<string, Column>> = {
  figure: (title) => title,
  Hawser: (title, row) => `${columns.Hawser?.(title, row) ?? ""} ${measuredWords(row)}`,
  peer: (title, row) => columns.against?.(title, row) ?? "",
  ratio: (_title, row) => number(row.ratio),
  "to reach": (_title, row) => boundOf(row),
  "": (_title, row) => verdictOf(row),
};

/** The results as a Markdown table: a row a comparison, and whether it kept its bound. */
export function tableOf(results: readonly Compared[]): string {
  return tableWith(columns, results);
}

/** Those with a bound alone, and in fewer words. */
export function shortTableOf(results: readonly Compared[]): string {
  const bounded = results.map(({ title, rows }) => ({
    title,
    rows: rows.filter(({ most, least }) => most !== undefined || least !== undefined),
  }));
  return tableWith(shortColumns, bounded);
}

function tableWith(wanted: Readonly<Record<string, Column>>, results: readonly Compared[]): string {
  const cells = Object.values(wanted);
  const rows = results.flatMap(({ title, rows }) =>
    rows.map((row) => cells.map((cell) => cell(title, row))),
  );
  return markdownTable(Object.keys(wanted), rows);
}

function otherWords({ otherValue, note }: Row): string {
  return otherValue === undefined && note !== undefined ? note : number(otherValue);
}

const words: Readonly<Record<string, string>> = {
  cpuSecondsPerGB: "CPU s/GB",
  kernelSecondsPerGB: "CPU s/GB in the kernel",
  ownSecondsPerGB: "CPU s/GB in its own code",
  senderCpuSecondsPerGB: "sender's CPU s/GB",
  rateMBs: "MB/s",
  uploadsPerSecond: "uploads/s",
  msPerUpload: "ms an upload",
  cpuMsPerUpload: "CPU ms an upload",
  syncsPerUpload: "syncs an upload",
  msPerSync: "ms a sync",
  p99Ms: "ms, p99",
  healthyP99Ms: "ms, p99 of a healthy client",
  residentMB: "MB resident",
  idleMB: "MB resident before the first upload",
  kilobytesPerUpload: "KB an upload",
  peakMB: "MB resident at the peak",
  deathMostMs: "ms, the longest after 10 deaths of a node",
  seconds: "s",
  trafficMB: "MB read and written by the server",
  cpuSeconds: "CPU s",
  gzipKiB: "KiB, minified and with gzip",
};

/** What was measured with its unit, in the words of a table. */
export function measuredWords({ what }: Row): string {
  return words[what] ?? what;
}

export function boundOf(row: Row): string {
  const about = row.judge === "value" && row.ratio !== undefined ? ` ${measuredWords(row)}` : "";
  if (row.most !== undefined) return `at most ${row.most}${about}`;
  if (row.least !== undefined) return `at least ${row.least}${about}`;
  return "";
}

function verdictOf(row: Row): string {
  if (row.note !== undefined) return row.note;
  // What is only shown keeps and misses nothing.
  if (row.most === undefined && row.least === undefined) return "";
  return keepsBound(row) ? "kept" : "missed";
}

/** What the bound is about: the ratio, or the value where that says more. */
export function judgedOf({ ratio, value, judge }: Row): number {
  return judge === "value" ? value : (ratio ?? value);
}

export function keepsBound(row: Row): boolean {
  const { most = Infinity, least = -Infinity } = row;
  const judged = judgedOf(row);
  return judged <= most && judged >= least;
}

export function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
