import type { Measured, Row } from "./figure.ts";

export interface RatioWanted {
  readonly of: string;
  readonly to: string;
  readonly what: string;
  readonly most?: number;
  readonly least?: number;
  readonly note?: string;
}

/** What every round of every contender gave, and the medians that the table is made from. */
export class Rounds {
  readonly #measured = new Map<string, Measured[]>();
  readonly #missing = new Map<string, string>();

  add(name: string, measured: Measured): void {
    this.#measured.set(name, [...(this.#measured.get(name) ?? []), measured]);
  }

  addMissing(name: string, reason: string): void {
    this.#missing.set(name, reason);
  }

  median(name: string, what: string): number {
    const all = (this.#measured.get(name) ?? [])
      .map((measured) => measured[what] ?? NaN)
      .sort((a, b) => a - b);
    const middle = all[Math.floor(all.length / 2)] ?? NaN;
    return all.length % 2 === 1 ? middle : (middle + (all[all.length / 2 - 1] ?? NaN)) / 2;
  }

  /** The ratio of two medians. */
  ratio({ of, to, what, ...bounds }: RatioWanted): Row {
    const value = this.median(of, what);
    const reason = this.#missing.get(to);
    const otherValue = reason === undefined ? this.median(to, what) : undefined;
    const ratio = otherValue === undefined ? undefined : value / otherValue;
    const note = reason ?? bounds.note;
    return {
      what,
      of,
      to,
      value,
      otherValue,
      ratio,
      ...bounds,
      ...(note === undefined ? {} : { note }),
    };
  }

  /** A median that is compared with nothing but its bound. */
  value(of: string, what: string, bounds: Pick<Row, "most" | "least" | "note">): Row {
    const value = this.median(of, what);
    return { what, of, to: undefined, value, otherValue: undefined, ratio: undefined, ...bounds };
  }
}
