import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UploadErrorCode } from "./errors.ts";
import { UploadError } from "./errors.ts";
import { decideRetry, defaultRetryPolicy as policy } from "./retry.ts";

const decide = (code: UploadErrorCode, failures: number, waitMs?: number) =>
  decideRetry(new UploadError(code, "m", { waitMs }), { failures, policy, random: () => 0.5 });

describe("deciding what to do after a failure", () => {
  test.each<UploadErrorCode>(["refused", "not-authorised", "gone", "offset-contradiction"])(
    "%s is final",
    (code) => {
      expect(decide(code, 0)).toEqual({ kind: "stop" });
    },
  );

  test.each<UploadErrorCode>(["offset-mismatch", "network", "stalled"])(
    "the first %s is followed at once, the second one after a wait",
    (code) => {
      expect(decide(code, 0)).toEqual({ kind: "continue" });
      expect(decide(code, 1)).toEqual({ kind: "wait", waitMs: 750 });
    },
  );

  test("a server that asks for more patience than there is ends the upload", () => {
    expect(decide("rate-limited", 0, policy.askedWaitMsMax + 1)).toEqual({ kind: "stop" });
  });

  test("waits grow, keep within their bounds and are never shorter than asked", () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const failures = fc.integer({ min: 0, max: policy.attempts - 2 });
    const asked = fc.option(fc.integer({ min: 1, max: policy.askedWaitMsMax }), { nil: undefined });
    fc.assert(
      fc.property(failures, chance, asked, (before, random, waitMs) => {
        const error = new UploadError("server-trouble", "m", { waitMs });
        const made = decideRetry(error, { failures: before, policy, random: () => random });
        if (made.kind !== "wait") return false;
        if (waitMs !== undefined) return made.waitMs >= waitMs && made.waitMs <= waitMs + 200;
        const fullMs = Math.min(policy.waitMsMax, policy.waitMs * 2 ** before);
        return made.waitMs >= fullMs / 2 && made.waitMs <= fullMs;
      }),
    );
  });

  test("nothing is tried for ever", () => {
    const codes: UploadErrorCode[] = ["network", "server-trouble", "rate-limited", "bad-answer"];
    for (const code of codes) {
      expect(decide(code, policy.attempts - 1, 5)).toEqual({ kind: "stop" });
    }
  });
});
