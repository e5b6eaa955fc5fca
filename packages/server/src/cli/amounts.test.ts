import { expect, test } from "vitest";
import { formatBytes, formatDuration, formatShare, readBytes } from "./amounts.ts";

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

test.each([
  ["2MB", 2_000_000],
  ["2 MiB", 2 * 1024 * 1024],
  ["1.5k", 1536],
  ["65536", 65_536],
  ["10GB", 10_000_000_000],
])("%s is read as %i bytes", (text, bytes) => {
  expect(readBytes(text)).toBe(bytes);
});

test.each(["", "0", "-1", "2 MB/s", "fast", "1e9", "99999999GB", "constructor"])(
  "%j is no amount",
  (text) => {
    expect(readBytes(text)).toBeUndefined();
  },
);
