import { expect } from "vitest";
import type { UploadOptions } from "../index.ts";
import { UploadError } from "../index.ts";
import type { FakeGraph, Fault } from "./fake-graph.ts";
import { answering } from "./fake-graph.ts";

/**
 * Options for an upload to the fake server, which is soon tried again: and patient enough that
 * nothing but a test's own faults ends a request.
 */
export function optionsFor(fake: FakeGraph, more: Partial<UploadOptions> = {}): UploadOptions {
  const retry = { waitMs: 5, attempts: 4 };
  const { url, token } = fake;
  return { url, appId: "1234", token, retry, stallMs: 20_000, answerMs: 20_000, ...more };
}

/** The error a task ends with. */
export async function failureOf(task: PromiseLike<unknown>): Promise<UploadError> {
  const error = await Promise.resolve(task).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UploadError) return error;
  expect.unreachable(`expected an UploadError, got ${String(error)}`);
}

/** A refusal in the upload service's own envelope alone. */
export function debugOnly(status: number, type: string, more: object = {}): Fault {
  return answering(status, {
    debug_info: { retriable: false, type, message: `it is ${type}`, ...more },
  });
}
