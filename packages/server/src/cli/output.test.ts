import { expect, test } from "vitest";
import { table, tame } from "./output.ts";

test("text from elsewhere cannot steer the terminal", () => {
  // eslint-disable-next-line no-control-regex -- control characters are what must be gone
  expect(tame("a\u001b[31mb\u0007\r\nc\u009b2Jd")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(tame("Übung 日本.pdf")).toBe("Übung 日本.pdf");
});

test("columns of a table stand below each other and the last is not padded", () => {
  expect(
    table([
      ["ID", "NAME"],
      ["12345", "a"],
    ]),
  ).toEqual(["ID     NAME", "12345  a"]);
});
