import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { stopInTime } from "./stop.ts";

const log = silentLog;
const never = new Promise<void>(() => undefined);

/** Notes in `said` when what it is called is over. */
async function noting(said: string[], name: string, work: Promise<unknown>): Promise<void> {
  await work;
  said.push(name);
}

test("everything is closed as soon as all work has ended, and not before", async () => {
  const [clock, said] = [new ManualClock(), new Array<string>()];
  const [drain, chores] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const working = [drain.promise, chores.promise];
  const close = (): Promise<void> => noting(said, "closed", Promise.resolve());
  const stopped = noting(said, "stopped", stopInTime({ clock, log, working, close }));
  drain.resolve(undefined);
  await turn();
  expect(said).toEqual([]);
  chores.resolve(undefined);
  await stopped;
  expect(said).toEqual(["closed", "stopped"]);
});

test("work that does not end is waited for as long as a drain, and what does not close not for ever", async () => {
  const [clock, said] = [new ManualClock(), new Array<string>()];
  const close = (): Promise<void> => {
    said.push("closing");
    return never;
  };
  const stop = stopInTime({ clock, log, working: [Promise.resolve(), never], close });
  const stopped = noting(said, "stopped", stop);
  await turn();
  clock.pass(limits.drainMsMax - 1);
  await turn();
  expect(said).toEqual([]);
  clock.pass(1);
  await turn();
  expect(said).toEqual(["closing"]);
  clock.pass(limits.stopMsMax - limits.drainMsMax);
  await stopped;
  expect(said).toEqual(["closing", "stopped"]);
});

test("a stop fails with what could not be closed", async () => {
  const close = (): Promise<void> => Promise.reject(new Error("the catalog is full"));
  const stopped = stopInTime({ clock: new ManualClock(), log, working: [], close });
  await expect(stopped).rejects.toThrow("the catalog is full");
});
