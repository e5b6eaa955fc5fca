import type { Chance } from "./chance.ts";

/** What may go wrong in one schedule. */
export interface Weather {
  readonly pace: "fast" | "slow" | "uneven";
  readonly shortWrites: boolean;
  /** The volume is full now and then, for writes, new files and delayed allocation at a sync. */
  readonly noRoom: boolean;
  /** The device fails now and then: EIO. */
  readonly deviceErrors: boolean;
  /** Syncing a new file makes its name durable too, as ext4 does. */
  readonly kindNames: boolean;
  readonly catalogFull: boolean;
  /** The answer to a commit is lost now and then, and with it its outcome. */
  readonly unknownCommits: boolean;
}

export const calm: Weather = {
  pace: "fast",
  shortWrites: false,
  noRoom: false,
  deviceErrors: false,
  kindNames: true,
  catalogFull: false,
  unknownCommits: false,
};

/** How long something takes, in milliseconds. */
export function latency(weather: Weather, chance: Chance): number {
  switch (weather.pace) {
    case "fast":
      return chance.integer(0, 20) / 10;
    case "slow":
      return chance.integer(0, 3_000);
    case "uneven":
      return chance.happens(0.05) ? chance.integer(0, 20_000) : chance.integer(0, 50) / 10;
  }
}

/** An error as Node gives it, that was injected. */
export class InjectedError extends Error {
  override readonly name = "InjectedError";
  readonly code: string;

  constructor(code: string) {
    super(`${code}: injected`);
    this.code = code;
  }
}
