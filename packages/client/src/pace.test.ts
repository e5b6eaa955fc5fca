import { describe, expect, test } from "vitest";
import { Pace, secondsFor } from "./pace.ts";

/** A pace after so many bytes at each of these milliseconds. */
function paceOf(...notes: [atMs: number, sent: number][]): Pace {
  const pace = new Pace();
  for (const [atMs, sent] of notes) pace.note(sent, atMs);
  return pace;
}

describe("a pace", () => {
  test("is not known from one moment alone", () => {
    expect(paceOf([1000, 500]).rate(1000)).toBe(0);
    expect(secondsFor(10, 0)).toBeUndefined();
  });

  test("does not count what was there before", () => {
    expect(paceOf([0, 5_000_000], [1000, 5_001_000]).rate(1000)).toBe(1000);
  });

  test("is of the last five seconds", () => {
    const pace = new Pace();
    let sent = 0;
    for (let second = 0; second <= 20; second += 1) {
      pace.note((sent += second < 10 ? 1_000_000 : 2000), second * 1000);
    }
    expect(pace.rate(20_000)).toBe(2000);
  });

  test("falls to nothing while nothing goes", () => {
    const pace = paceOf([0, 0], [1000, 4000]);
    expect(pace.rate(2000)).toBe(2000);
    expect(pace.rate(60_000)).toBe(0);
  });

  test("counts what is sent again after a cut", () => {
    expect(paceOf([0, 0], [1000, 4000], [1500, 1000], [2000, 3000]).rate(2000)).toBe(3000);
  });

  test("begins anew after a rest, and when the clock is put back", () => {
    const pace = paceOf([0, 0], [1000, 4000]);
    pace.rest();
    pace.note(4000, 100_000);
    pace.note(5000, 101_000);
    expect(pace.rate(101_000)).toBe(1000);
    pace.note(6000, 50_000);
    pace.note(6500, 51_000);
    expect(pace.rate(51_000)).toBe(500);
  });
});
