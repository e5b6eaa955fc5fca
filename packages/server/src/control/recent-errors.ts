import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { Ring } from "../base/ring.ts";
import type { Answered } from "../http/server.ts";

/** A request that was refused or failed: what its line in the log says of it, and no more. */
export interface RecentError {
  readonly at: string;
  /** Of the engine; null where only the status is known. */
  readonly code: string | null;
  readonly status: number;
  readonly method: string;
  /** Without what may hold a token. */
  readonly route: string;
  readonly trace: string;
  readonly upload: string | null;
  readonly app: string | null;
}

const methodCharactersMax = 16;
const routeCharactersMax = 200;

/** The last requests that were answered with an error. */
export class RecentErrors {
  readonly errors = new Ring<RecentError>(limits.liveErrorsMax);
  readonly #clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  note({ trace, method, path, status, facts }: Answered): void {
    const code = textOf(facts.error);
    if (code === null && status < 400) return;
    this.errors.push({
      at: new Date(this.#clock.now()).toISOString(),
      code,
      status,
      method: method.slice(0, methodCharactersMax),
      route: path.slice(0, routeCharactersMax),
      trace,
      upload: textOf(facts.upload),
      app: textOf(facts.app),
    });
  }
}

function textOf(fact: unknown): string | null {
  return typeof fact === "string" ? fact : null;
}
