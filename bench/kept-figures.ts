import { readFile } from "node:fs/promises";
import type { FigureGroup, Row } from "./figure.ts";

/** What `npm run bench -- --json` keeps of a figure. */
export interface KeptFigure {
  /** Names it on the command line. */
  readonly name: string;
  readonly title: string;
  readonly group?: FigureGroup;
  readonly rounds: number;
  /** 1 is the full size. */
  readonly scale: number;
  readonly machine: string;
  readonly date: string;
  readonly commit: string;
  readonly rows: readonly Row[];
}

/** The figures of a file, those of the order first; undefined when there is no such file. */
export async function readKeptFigures(
  file: string,
  order: readonly string[],
): Promise<KeptFigure[] | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  // JSON has no NaN, which a quantity that was not measured is.
  const value: unknown = JSON.parse(text, (_name, part: unknown) => (part === null ? NaN : part));
  // Written by BenchRun.keep, whose type this is.
  const kept = value as Readonly<Record<string, Omit<KeptFigure, "name">>>;
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(kept)
    .sort(([a], [b]) => place(a) - place(b))
    .map(([name, figure]) => ({ ...figure, name }));
}
