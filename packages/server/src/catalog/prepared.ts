import type { Compilable } from "kysely";

/** What a column holds, in either dialect. */
export type Value = string | number | null | Uint8Array;

/** Stands for a value that is known only when the statement runs. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export type Values<Name extends string> = Readonly<Record<Name, Value>>;

/** A value to be filled in later; `never`, so that it fits a column of any type. */
export type SlotOf<Name extends string> = (name: Name) => never;

/** In place of slots, where a statement is built with its values. */
export function filledWith<Name extends string>(values: Values<Name>): SlotOf<Name> {
  // The name says which column it is for, and so its type.
  return (name) => values[name] as never;
}

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

  bind(values: Values<Name>): Value[] {
    return this.#parameters.map((parameter) => {
      // What is not a slot is a constant of the query: a value of a column's type.
      if (!(parameter instanceof Slot)) return parameter as Value;
      // Slots are made only with the names that the type of `values` demands.
      return values[parameter.name as Name];
    });
  }
}
