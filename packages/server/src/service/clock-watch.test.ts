import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { ClockWatch } from "./clock-watch.ts";

const day = 24 * 60 * 60 * 1000;

test.each([
  ["forward", day],
  ["back", -day],
])(
  "a wall clock that is set %s pauses what goes by it, for a time that the other tells",
  (_, by) => {
    const at = { wall: 1_800_000_000_000, uptime: 500 };
    const clock = { ...systemClock, now: () => at.wall, monotonic: () => at.uptime };
    const pass = (ms: number): void => {
      at.wall += ms;
      at.uptime += ms;
    };
    const watch = new ClockWatch(clock);
    pass(day);
    // As a machine drifts that is kept by NTP.
    at.wall += 200;
    expect(watch.pauseMs()).toBe(0);
    at.wall += by;
    expect(watch.pauseMs()).toBe(limits.clockPauseMs);
    pass(limits.clockPauseMs - 1);
    expect(watch.pauseMs()).toBe(1);
    pass(1);
    expect(watch.pauseMs()).toBe(0);
  },
);
