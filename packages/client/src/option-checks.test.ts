import { expect, test } from "vitest";
import { UploadError } from "./errors.ts";
import { refuseUnknownKeys } from "./option-checks.ts";

const known = ["url", "appId", "token", "name", "type", "chunkSize", "onProgress", "onState"];

function hintFor(key: string): string | undefined {
  try {
    refuseUnknownKeys({ [key]: 1 }, known);
  } catch (error) {
    return error instanceof UploadError ? error.hint : undefined;
  }
  return undefined;
}

test.each([
  ["chunksize", "chunkSize"],
  ["onProgres", "onProgress"],
  ["on_progress", "onProgress"],
  ["naem", "name"],
  ["uri", "url"],
  ["accessToken", undefined],
  ["tokens", "token"],
  ["appID", "appId"],
])("the mistyped option %s is told with %s", (key, meant) => {
  const all = `There are: ${known.join(", ")}.`;
  expect(hintFor(key)).toBe(meant === undefined ? all : `Did you mean "${meant}"?`);
});

test("an option that there is passes", () => {
  expect(hintFor("chunkSize")).toBeUndefined();
});
