import type { Random } from "./clock.ts";
import type { UploadError, UploadErrorCode } from "./errors.ts";

/** How patient to be. */
export interface RetryPolicy {
  /** Failures in a row without the offset moving before giving up. */
  readonly attempts: number;
  /** The first wait; it doubles with every failure. */
  readonly waitMs: number;
  /** The longest wait of our own choosing. */
  readonly waitMsMax: number;
  /** The longest wait a server may ask for; beyond it the upload stops and says so. */
  readonly askedWaitMsMax: number;
}

export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  attempts: 10,
  waitMs: 500,
  waitMsMax: 30_000,
  askedWaitMsMax: 15 * 60_000,
});

export type RetryDecision =
  | { readonly kind: "stop" }
  /** Ask the server where it stands and go on there. */
  | { readonly kind: "continue" }
  | { readonly kind: "wait"; readonly waitMs: number };

export interface RetrySituation {
  /** Failures before this one since the offset last moved. */
  readonly failures: number;
  readonly policy: RetryPolicy;
  readonly random: Random;
}

const stop: RetryDecision = Object.freeze({ kind: "stop" });
const goOn: RetryDecision = Object.freeze({ kind: "continue" });

type Temper = "final" | "prompt" | "patient";

/** What each failure calls for; a new code does not compile until it has its answer. */
const tempers: Readonly<Record<UploadErrorCode, Temper>> = {
  "invalid-option": "final",
  "source-changed": "final",
  "source-unreadable": "final",
  "not-authorised": "final",
  "not-found": "final",
  gone: "final",
  "handle-invalid": "final",
  refused: "final",
  "offset-contradiction": "final",
  aborted: "final",
  cancelled: "final",
  // The first of these costs nothing to follow at once: a cut line is mostly there again.
  "offset-mismatch": "prompt",
  network: "prompt",
  stalled: "prompt",
  "rate-limited": "patient",
  "server-trouble": "patient",
  "bad-answer": "patient",
};

/** Decides from the facts of a failure alone what to do next. */
export function decideRetry(error: UploadError, situation: RetrySituation): RetryDecision {
  const { failures, policy, random } = situation;
  const temper = tempers[error.code];
  if (temper === "final" || failures + 1 >= policy.attempts) return stop;
  const askedMs = error.facts.waitMs;
  if (askedMs !== undefined) return waitAsAsked(askedMs, policy, random);
  if (temper === "prompt" && failures === 0) return goOn;
  const fullMs = Math.min(policy.waitMsMax, policy.waitMs * 2 ** failures);
  // Half of it is chance, so that many clients of one failed server do not come back together.
  return { kind: "wait", waitMs: Math.round(fullMs * (0.5 + random() / 2)) };
}

function waitAsAsked(askedMs: number, policy: RetryPolicy, random: Random): RetryDecision {
  if (askedMs > policy.askedWaitMsMax) return stop;
  // Never sooner than asked, and a little later for the reason above.
  return { kind: "wait", waitMs: Math.round(askedMs + random() * Math.min(askedMs, 1000) * 0.2) };
}
