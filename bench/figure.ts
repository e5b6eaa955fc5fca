import type { Rounds } from "./rounds.ts";
import type { Volume } from "./volume.ts";

/** One line or more of the table: what is compared, and how far it has to get. */
export interface Figure {
  /** Names it on the command line. */
  readonly name: string;
  readonly title: string;
  /** Which of the page's tables it stands in; that of one node alone unless said otherwise. */
  readonly group?: FigureGroup;
  /** The reason why it cannot be measured here, if any. */
  missing?(): Promise<string | undefined>;
  measure(bench: Bench): Promise<readonly Row[]>;
}

export type FigureGroup = "many nodes";

/** What one run of one contender gave: names of quantities with their unit, and their values. */
export type Measured = Readonly<Record<string, number>>;

/** One comparison, made from the medians of all rounds of one run. */
export interface Row {
  readonly what: string;
  readonly of: string;
  readonly to: string | undefined;
  readonly value: number;
  readonly otherValue: number | undefined;
  readonly ratio: number | undefined;
  /** The bound the ratio, or the value where nothing is compared, should keep. */
  readonly most?: number;
  readonly least?: number;
  readonly note?: string;
  /** What the bound is about where both are there: the ratio, unless said otherwise. */
  readonly judge?: "value";
}

export interface Bench {
  /** In memory (tmpfs). */
  readonly memory: Volume;
  /** On the disk that the repository is on. */
  readonly disk: Volume;
  /** A size or count, made smaller in a quick run. */
  bytes(full: number): number;
  count(full: number): number;
  /** Runs each item once a round, one after the other, in a different order each round. */
  rounds<Item extends { readonly name: string }>(
    items: readonly Item[],
    measure: (item: Item) => Promise<Measured>,
  ): Promise<Rounds>;
  say(line: string): void;
}
