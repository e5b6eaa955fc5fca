import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { Ring } from "../base/ring.ts";
import type { Activity } from "../engine/activity.ts";

/** What came to this process, and was made durable, in the second before `at`. */
export interface Sample {
  readonly at: string;
  readonly receivedBytes: number;
  readonly durableBytes: number;
  readonly writers: number;
}

const sampleMs = 1_000;

/** Takes a sample every second and keeps the last five minutes of them. Never keeps a process alive. */
export function watchThroughput(activity: Activity, clock: Clock): Ring<Sample> {
  const samples = new Ring<Sample>(limits.liveSamplesMax);
  let before = activity.totals;
  const sample = (): void => {
    const now = activity.totals;
    samples.push({
      at: new Date(clock.now()).toISOString(),
      receivedBytes: now.receivedBytes - before.receivedBytes,
      durableBytes: now.durableBytes - before.durableBytes,
      writers: activity.writers,
    });
    before = now;
    clock.after(sampleMs, sample);
  };
  clock.after(sampleMs, sample);
  return samples;
}
