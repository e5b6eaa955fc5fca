import { expect, test } from "vitest";
import { MemoryBudget, type Filling } from "./memory-budget.ts";

/** A filling that gives its memory back once it is told that what was cut is stored. */
function filling(budget: MemoryBudget, heldBytes: number): Filling & { isCut: boolean } {
  const one = {
    heldBytes,
    isCut: false,
    cut: () => {
      one.isCut = true;
      budget.delete(one);
    },
  };
  budget.add(one);
  return one;
}

/** Whether it has resolved by the time everything that is due has run. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

test("memory is given in the order it was asked for, also to those who ask for little", async () => {
  const budget = new MemoryBudget(100);
  await budget.take(80);
  const large = budget.take(60);
  const small = budget.take(10);
  expect(await isDone(large)).toBe(false);
  expect(await isDone(small)).toBe(false);
  budget.give(40);
  await Promise.all([large]);
  expect(await isDone(small)).toBe(false);
  budget.give(60);
  await small;
  expect(budget.heldBytes).toBe(50);
});

test("when it is used up, the largest filling is cut, and no more than is needed", async () => {
  const budget = new MemoryBudget(100);
  await budget.take(90);
  const [small, large, middle] = [20, 40, 30].map((bytes) => filling(budget, bytes));
  const waiting = budget.take(20);
  expect([small?.isCut, large?.isCut, middle?.isCut]).toEqual([false, true, false]);
  budget.give(40);
  await waiting;
  expect(middle?.isCut).toBe(false);
});

test("nothing is cut while enough is on its way back", async () => {
  const budget = new MemoryBudget(100);
  await budget.take(100);
  const one = filling(budget, 60);
  const waiting = budget.take(30);
  expect(one.isCut).toBe(false);
  budget.give(40);
  await waiting;
});

test("more than there is at all is given alone", async () => {
  const budget = new MemoryBudget(100);
  await budget.take(10);
  const waiting = budget.take(500);
  expect(await isDone(waiting)).toBe(false);
  budget.give(10);
  await waiting;
  const after = budget.take(1);
  expect(await isDone(after)).toBe(false);
  budget.give(500);
  await after;
});
