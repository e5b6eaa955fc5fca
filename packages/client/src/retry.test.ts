import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UploadErrorCode } from "./errors.ts";
import { UploadError } from "./errors.ts";
import { retryWaitMs, defaultRetryPolicy as policy } from "./retry.ts";

const decide = (code: UploadErrorCode, failures: number, waitMs?: number) =>
  retryWaitMs(new UploadError(code, "m", { waitMs }), { failures, policy, random: () => 0.5 });

describe("deciding what to do after a failure", () => {
  test.each<UploadErrorCode>(["refused", "not-authorised", "gone", "offset-contradiction"])(
    "%s is final",
    (code) => {
      expect(decide(code, 0)).toBeUndefined();
    },
  );

  test.each<UploadErrorCode>(["offset-mismatch", "network", "stalled"])(
    "the first %s is followed at once, the second one after a wait",
    (code) => {
      expect(decide(code, 0)).toBe(0);
      expect(decide(code, 1)).toBe(750);
    },
  );

  test("a server that asks for more patience than there is ends the upload", () => {
    expect(decide("rate-limited", 0, policy.askedWaitMsMax + 1)).toBeUndefined();
  });

  test("a server that asks for no wait at all is met with growing waits like any other", () => {
    expect([0, 1, 2].map((failures) => decide("server-trouble", failures, 0))).toEqual([
      375, 750, 1500,
    ]);
  });

  test("waits grow, keep within their bounds and are never shorter than asked", () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const failures = fc.integer({ min: 0, max: policy.attempts - 2 });
    const asked = fc.option(fc.integer({ min: 0, max: policy.askedWaitMsMax }), { nil: undefined });
    fc.assert(
      fc.property(failures, chance, asked, (before, random, waitMs) => {
        const error = new UploadError("server-trouble", "m", { waitMs });
        const made = retryWaitMs(error, { failures: before, policy, random: () => random });
        if (made === undefined) return false;
        const fullMs = Math.min(policy.waitMsMax, policy.waitMs * 2 ** before);
        const [least, most] = waitMs === undefined ? [0, 0] : [waitMs, waitMs + 200];
        return made >= Math.max(fullMs / 2, least) && made <= Math.max(fullMs, most);
      }),
    );
  });

  test("nothing is tried for ever", () => {
    const codes: UploadErrorCode[] = ["network", "server-trouble", "rate-limited", "bad-answer"];
    for (const code of codes) {
      expect(decide(code, policy.attempts - 1, 5)).toBeUndefined();
    }
  });
});
