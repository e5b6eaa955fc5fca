import type { SQLInputValue } from "node:sqlite";
import type { Compilable } from "kysely";
import type { Step } from "./sqlite-messages.ts";

/** Stands for a value that is known only when the statement runs. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export type Values<Name extends string> = Readonly<Record<Name, SQLInputValue>>;

/** A value to be filled in later; `never`, so that it fits a column of any type. */
export type SlotOf<Name extends string> = (name: Name) => never;

/**
 * A statement that is built and compiled once. Building one of these queries costs more than
 * running it, and a few of them run several times for every small upload.
 */
export class Prepared<Name extends string> {
  readonly sql: string;
  readonly #parameters: readonly unknown[];

  constructor(build: (slot: SlotOf<Name>) => Compilable) {
    // Kysely passes parameters through untouched, so that a slot can stand for any value.
    const { sql, parameters } = build((name) => new Slot(name) as never).compile();
    this.sql = sql;
    this.#parameters = parameters;
  }

  bind(values: Values<Name>): SQLInputValue[] {
    return this.#parameters.map((parameter) => {
      // What is not a slot is a constant of the query: a value of one of SQLite's input types.
      if (!(parameter instanceof Slot)) return parameter as SQLInputValue;
      // Slots are made only with the names that the type of `values` demands.
      return values[parameter.name as Name];
    });
  }

  /** The statement with its values as a step of a change. */
  step(values: Values<Name>, changesAtLeast = 0): Step {
    return { sql: this.sql, parameters: this.bind(values), changesAtLeast };
  }
}
