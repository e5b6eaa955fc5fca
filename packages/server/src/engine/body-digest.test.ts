import { expect, test } from "vitest";

import { limits } from "../base/limits.ts";
import { BodyDigest } from "./body-digest.ts";

test("a body is too long to wait for its digest one byte above the limit", () => {
  const digest = new BodyDigest({ algorithm: "crc32", expected: () => undefined });
  const chunk = new Uint8Array(limits.unprovenBytesMax / 64);
  digest.update(Array.from({ length: 64 }, () => chunk));
  expect(digest.isTooLong).toBe(false);
  digest.update([new Uint8Array(1)]);
  expect(digest.isTooLong).toBe(true);
});
