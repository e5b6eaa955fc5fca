import { expect, it } from "vitest";

import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { Activity } from "./activity.ts";

it("what is received counts for its upload and for all, until its writer ends", () => {
  const clock = new ManualClock();
  const activity = new Activity(clock);
  const writer = activity.begin({ id: "a", position: 10, dialect: "graph" });
  activity.begin({ id: "b", position: 0, dialect: undefined }).received(7);
  clock.pass(500);
  writer.received(5);
  writer.madeDurable(3);
  expect(activity.writerOf("a")).toMatchObject({
    position: 15,
    arrivedAt: clock.monotonic(),
    dialect: "graph",
  });
  expect(activity.totals).toEqual({ receivedBytes: 12, durableBytes: 3 });
  expect(activity.writers).toBe(2);
  writer.end();
  expect(activity.writerOf("a")).toBeUndefined();
  expect(activity.writers).toBe(1);
});

it("a writer that was taken over does not end the one that came after it", () => {
  const activity = new Activity(new ManualClock());
  const first = activity.begin({ id: "a", position: 0, dialect: "graph" });
  activity.begin({ id: "a", position: 4, dialect: "graph" });
  first.end();
  expect(activity.writerOf("a")?.position).toBe(4);
});
