import { expect } from "vitest";
import { isWithin } from "./expect-answer.ts";
import { givenUrl } from "./given-server.ts";
import type { IetfAnswer } from "./ietf-api.ts";

const registry = "https://iana.org/assignments/http-problem-types#";

export const mismatchingOffset = `${registry}mismatching-upload-offset`;
export const completedUpload = `${registry}completed-upload`;
export const inconsistentLength = `${registry}inconsistent-upload-length`;

export interface ExpectedProblem {
  readonly status: number;
  /** Where the draft has a type for it; else it is the one that says no more than the status. */
  readonly type?: string;
  /** What else is in it. */
  readonly members?: Readonly<Record<string, number>>;
}

/** Those that the draft asks for; it leaves it to a server which 4xx another refusal is. */
const fixedStatuses: readonly number[] = [409, 413];

/**
 * An answer as RFC 9457 has it: its media type, its status in it, its type, a title. All of that
 * is a server's own choice where it is not this project's: then it only has to refuse.
 */
export function expectProblem(
  answer: IetfAnswer,
  { status, type = "about:blank", members = {} }: ExpectedProblem,
): void {
  if (givenUrl !== undefined && !fixedStatuses.includes(status)) {
    expect(isWithin(answer.status, 400), answer.shown).toBe(true);
    return;
  }
  expect(answer.status, answer.shown).toBe(status);
  if (givenUrl !== undefined) return;
  expect(answer.header("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.header("cache-control")).toBe("no-store");
  const { json } = answer;
  expect(json).toMatchObject({ status, type, ...members });
  expect(json.title).toEqual(expect.stringMatching(/\S/));
  expect(json.detail).toEqual(expect.stringMatching(/\S/));
}
