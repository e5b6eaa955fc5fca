import { expect } from "vitest";

import { headerValue, type RawResponse } from "../support/raw-http.ts";
import { type TokenRoute, uploadRoutes } from "./token-routes.ts";

/** A refusal as Graph words it; the standard protocols have the status alone. */
export interface Expected {
  readonly status: number;
  readonly type: string;
  readonly code: number;
  readonly subcode?: number;
}

export function expectRefused(answer: RawResponse, expected: Expected, route: TokenRoute): void {
  const seen = answer.body.toString();
  expect(answer.status, seen).toBe(expected.status);
  if (route.method === "HEAD") return;
  if (route.standard !== undefined) {
    expectRefusedIn(route.standard.dialect, answer);
    return;
  }
  const { type, code, subcode } = expected;
  const json: unknown = JSON.parse(seen);
  expect(json).toMatchObject({ error: { type, code } });
  if (subcode === undefined) expect(json).not.toHaveProperty("error.error_subcode");
  else expect(json).toMatchObject({ error: { error_subcode: subcode } });
  const isUpload = uploadRoutes.includes(route);
  if (isUpload) expect(json).toMatchObject({ debug_info: { retriable: false } });
  else expect(json).not.toHaveProperty("debug_info");
  if (isUpload && (expected.status === 401 || expected.status === 403)) {
    expect(json).toHaveProperty("debug_info.type", "NotAuthorizedError");
  }
}

/** A refusal in the words of one of the standard protocols, which have no codes of their own. */
function expectRefusedIn(dialect: "tus" | "ietf", answer: RawResponse): void {
  const seen = answer.body.toString();
  const challenge = headerValue(answer, "www-authenticate");
  if (answer.status === 401 || answer.status === 403) expect(challenge).toMatch(/^Bearer/);
  if (dialect === "tus") {
    expect(headerValue(answer, "tus-resumable")).toBe("1.0.0");
    expect(seen).toMatch(/^\S.*[.]\n$/);
  } else {
    expect(headerValue(answer, "content-type")).toBe("application/problem+json");
    expect(JSON.parse(seen)).toMatchObject({ status: answer.status });
  }
}
