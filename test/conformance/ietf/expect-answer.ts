import { expect } from "vitest";

import { givenUrl } from "./given-server.ts";
import type { IetfAnswer } from "./ietf-api.ts";

/** A request that was taken: by this status here, by any 2xx where the draft leaves the choice. */
export function expectTaken(answer: IetfAnswer, status: number): void {
  if (givenUrl === undefined) expect(answer.status, answer.shown).toBe(status);
  else expect(isWithin(answer.status, 200), answer.shown).toBe(true);
}

/** A refusal whose content is not looked at: by this status here, by any 4xx elsewhere. */
export function expectRefused(answer: IetfAnswer, status: number): void {
  if (givenUrl === undefined) expect(answer.status, answer.shown).toBe(status);
  else expect(isWithin(answer.status, 400), answer.shown).toBe(true);
}

/** An upload that is no longer active: by this status here, as gone or not found elsewhere. */
export function expectEnded(answer: IetfAnswer, status: number): void {
  const statuses = givenUrl === undefined ? [status] : [404, 410];
  expect(statuses, answer.shown).toContain(answer.status);
}

/** Where an answer tells the offset, which the draft does not ask of each, it is this one. */
export function expectOffset(answer: IetfAnswer, offset: number): void {
  const leavesOut = givenUrl !== undefined && answer.header("upload-offset") === undefined;
  if (!leavesOut) expect(answer.offset, answer.shown).toBe(offset);
}

/** Whether a status is of the class that begins with `first`. */
export function isWithin(status: number, first: number): boolean {
  return status >= first && status < first + 100;
}
