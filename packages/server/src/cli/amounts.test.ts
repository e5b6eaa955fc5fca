import { expect, test } from "vitest";
import { formatBytes, formatDuration, formatShare } from "./amounts.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1536 * 1024 * 1024, "1.5 GiB"],
  [200 * 1024 * 1024, "200 MiB"],
])("%i bytes read %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [850, "850 ms"],
  [12_000, "12 s"],
  [200_000, "3 min 20 s"],
  [7_500_000, "2 h 5 min"],
])("%i ms read %s", (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test("100 % is only said of the whole", () => {
  expect(formatShare(999_999, 1_000_000)).toBe("99 %");
  expect(formatShare(5, 5)).toBe("100 %");
});
