import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runOrigin } from "../test/support/run-origin.ts";
import type { Bench, Figure, Measured, Row } from "./figure.ts";
import type { KeptFigure } from "./kept-figures.ts";
import { Rounds } from "./rounds.ts";
import { Volume } from "./volume.ts";

export interface Result {
  readonly figure: Figure;
  readonly rows: readonly Row[];
}

interface Contending {
  readonly name: string;
  readonly missing?: () => Promise<string | undefined>;
}

/** One run: everything in it was measured on one machine, one after the other. */
export class BenchRun {
  readonly #rounds: number;
  readonly #scale: number;

  constructor(options: { readonly rounds: number; readonly scale: number }) {
    this.#rounds = options.rounds;
    this.#scale = options.scale;
  }

  async measure(figures: readonly Figure[]): Promise<Result[]> {
    await using memory = await Volume.make("/dev/shm");
    await using disk = await Volume.make(fileURLToPath(new URL("../bench-data", import.meta.url)));
    const bench: Bench = {
      memory,
      disk,
      bytes: (full) => Math.round(full * this.#scale),
      count: (full) => Math.max(1, Math.round(full * this.#scale)),
      rounds: (items, measure) => this.#measureRounds(items, measure),
      say: (line) => process.stderr.write(`  ${line}\n`),
    };
    const results: Result[] = [];
    for (const figure of figures) {
      process.stderr.write(`${figure.title}\n`);
      results.push({ figure, rows: await figure.measure(bench) });
    }
    return results;
  }

  /** Adds the rows to a file, in place of older rows of the same figures. */
  async keep(file: string, results: readonly Result[]): Promise<void> {
    const known: unknown = JSON.parse(await readFile(file, "utf8").catch(() => "{}"));
    const origin = await runOrigin();
    const run = { rounds: this.#rounds, scale: this.#scale, ...origin };
    const kept = Object.fromEntries(
      results.map(({ figure, rows }): [string, Omit<KeptFigure, "name">] => [
        figure.name,
        { title: figure.title, ...groupOf(figure), ...run, rows },
      ]),
    );
    const all = { ...(typeof known === "object" ? known : {}), ...kept };
    await writeFile(file, `${JSON.stringify(all, undefined, 2)}\n`);
  }

  async #measureRounds<Item extends Contending>(
    items: readonly Item[],
    measure: (item: Item) => Promise<Measured>,
  ): Promise<Rounds> {
    const rounds = new Rounds();
    const present: Item[] = [];
    for (const item of items) {
      const reason = await item.missing?.();
      if (reason === undefined) present.push(item);
      else rounds.addMissing(item.name, reason);
    }
    for (let round = 0; round < this.#rounds; round += 1) {
      const order = round % 2 === 0 ? present : present.toReversed();
      for (const item of order) {
        const measured = await measure(item);
        rounds.add(item.name, measured);
        process.stderr.write(`  ${round + 1} ${item.name}: ${shown(measured)}\n`);
      }
    }
    return rounds;
  }
}

function groupOf({ group }: Figure): Pick<KeptFigure, "group"> {
  return group === undefined ? {} : { group };
}

function shown(measured: Measured): string {
  return Object.entries(measured)
    .map(([what, value]) => `${what} ${value.toPrecision(3)}`)
    .join(", ");
}
