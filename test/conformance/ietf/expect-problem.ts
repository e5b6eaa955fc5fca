import { expect } from "vitest";
import type { IetfAnswer } from "./ietf-api.ts";

const registry = "https://iana.org/assignments/http-problem-types#";

export const mismatchingOffset = `${registry}mismatching-upload-offset`;
export const completedUpload = `${registry}completed-upload`;
export const inconsistentLength = `${registry}inconsistent-upload-length`;

export interface ExpectedProblem {
  readonly status: number;
  /** Where the draft has a type for it; else it is the one that says no more than the status. */
  readonly type?: string;
}

/** An answer as RFC 9457 has it: its media type, its status in it, its type, a title. */
export function expectProblem(
  answer: IetfAnswer,
  { status, type = "about:blank" }: ExpectedProblem,
): void {
  expect(answer.status, answer.shown).toBe(status);
  expect(answer.header("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.header("cache-control")).toBe("no-store");
  const { json } = answer;
  expect(json).toMatchObject({ status, type });
  expect(json.title).toEqual(expect.stringMatching(/\S/));
  expect(json.detail).toEqual(expect.stringMatching(/\S/));
}
