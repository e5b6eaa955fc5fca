import { expect, test } from "vitest";
import { bytesInWords, countInWords, percentInWords, timeLeftInWords } from "./amounts.ts";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1000, "1.0 KB"],
  [999_499, "999 KB"],
  [999_500, "1.0 MB"],
  [4_230_000_000, "4.2 GB"],
])("%i bytes read %s", (bytes, words) => {
  expect(bytesInWords(bytes)).toBe(words);
});

test.each([
  [1, "almost there"],
  [59.2, "60 s left"],
  [61, "2 min left"],
  [7800, "2 h 10 min left"],
  [400_000, "5 days left"],
])("%d seconds read %s", (seconds, words) => {
  expect(timeLeftInWords(seconds)).toBe(words);
});

test("what is not all there is never a hundred per cent", () => {
  expect(percentInWords(99_999, 100_000)).toBe("99 %");
  expect(percentInWords(100_000, 100_000)).toBe("100 %");
});

test("one is one, and thousands are grouped", () => {
  expect(countInWords(1, "file")).toBe("1 file");
  expect(countInWords(5000, "file")).toBe("5,000 files");
});
