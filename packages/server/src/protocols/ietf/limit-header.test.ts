import { expect, test } from "vitest";
import { limitHeader } from "./limit-header.ts";

test("no limit is told beyond the largest Integer of a structured field", () => {
  const limits = { "max-size": Number.MAX_SAFE_INTEGER, "max-age": 999_999_999_999_999 };
  expect(limitHeader({ lifetimeKey: "max-age" }, limits)).toEqual({
    "Upload-Limit": "max-size=999999999999999, max-age=999999999999999",
  });
});
