import type { Random } from "./clock.ts";
import type { UploadError, UploadErrorCode } from "./errors.ts";

/** How patient to be. */
export interface RetryPolicy {
  /** Failures in a row without the offset moving before giving up. */
  readonly attempts: number;
  /**
   * What waits grow from: doubled with every failure, and less by up to half of it by chance. After
   * a cut, a stall or another offset the first try comes at once.
   */
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

export interface RetrySituation {
  /** Failures before this one since the offset last moved. */
  readonly failures: number;
  readonly policy: RetryPolicy;
  readonly random: Random;
}

type FinalCode =
  | "invalid-option"
  | "source-changed"
  | "source-unreadable"
  | "not-authorised"
  | "not-found"
  | "gone"
  | "handle-invalid"
  | "refused"
  | "offset-contradiction"
  | "aborted"
  | "cancelled";

/** What is not final, and whether it is patient; a new code does not compile until it is in either. */
const passing: Readonly<Partial<Record<UploadErrorCode, boolean>>> = {
  // The first of these costs nothing to follow at once: a cut line is mostly there again.
  "offset-mismatch": false,
  network: false,
  stalled: false,
  "rate-limited": true,
  "server-trouble": true,
  "bad-answer": true,
} satisfies Record<Exclude<UploadErrorCode, FinalCode>, boolean>;

/**
 * How long to wait before the server is asked where it stands, from the facts of a failure alone;
 * undefined when trying again is of no use.
 */
export function retryWaitMs(error: UploadError, situation: RetrySituation): number | undefined {
  const { failures, policy, random } = situation;
  const { attempts, waitMs, waitMsMax, askedWaitMsMax } = policy;
  const isPatient = passing[error.code];
  const { waitMs: askedMs = 0 } = error.facts;
  const isFinal = isPatient === undefined || failures + 1 >= attempts;
  if (isFinal || askedMs > askedWaitMsMax) return undefined;
  const ownMs = isPatient || failures > 0 ? Math.min(waitMsMax, waitMs * 2 ** failures) : 0;
  // Half of it is chance, so that many clients of one failed server do not come back together; for
  // that reason a little later than asked as well, and never sooner.
  const chance = random();
  const leastMs = askedMs + chance * Math.min(askedMs, 1000) * 0.2;
  return Math.round(Math.max(leastMs, ownMs * (0.5 + chance / 2)));
}

/** Whether the same may succeed later. */
export function passes({ code }: UploadError): boolean {
  return passing[code] !== undefined;
}
