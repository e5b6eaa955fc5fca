import { expect, test } from "vitest";
import { quoted } from "./put-words.ts";

test.each([
  ["linux", "film.mp4", "film.mp4"],
  ["linux", "my film.mp4", "'my film.mp4'"],
  ["linux", "it's.mp4", "'it'\\''s.mp4'"],
  ["win32", "C:\\films\\a.mp4", "C:\\films\\a.mp4"],
  ["win32", "C:\\my films\\a.mp4", '"C:\\my films\\a.mp4"'],
] as const)("on %s the advice writes %s so that it can be pasted", (platform, file, text) => {
  expect(quoted(file, platform)).toBe(text);
});
