import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { collectGarbage } from "../../../../test/support/collect-garbage.ts";
import { Operations } from "./operations.ts";

test("nothing is kept of an operation that has ended", async () => {
  const operations = new Operations();
  const results: WeakRef<object>[] = [];
  for (let count = 0; count < 3; count += 1) results.push(await trackOne(operations));
  await operations.ended;
  await turn();
  collectGarbage();
  expect(results.map((result) => result.deref())).toEqual([undefined, undefined, undefined]);
});

test("what failed has ended, too", async () => {
  const operations = new Operations();
  const gate = Promise.withResolvers<undefined>();
  await expect(operations.track(Promise.reject(new Error("no")))).rejects.toThrow("no");
  let isOver = false;
  void operations.track(gate.promise);
  const ended = operations.ended.then(() => (isOver = true));
  await turn();
  expect(isOver).toBe(false);
  gate.resolve(undefined);
  await ended;
});

async function trackOne(operations: Operations): Promise<WeakRef<object>> {
  return new WeakRef(await operations.track(Promise.resolve({ bytes: new Uint8Array(100) })));
}
