import pg from "pg";
import { expect, test } from "vitest";
import { failureOf } from "./postgres-failures.ts";

function spoken(words: { code: string; severity: string; routine?: string }): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError("it said so", 100, "error"), words);
}

test.for([
  ["a message that the server cannot take", "ERROR", "exec_bind_message", "refused"],
  ["a connection that the server gives up over a message", "FATAL", "SocketBackend", "unknown"],
  ["whatever a pooler does not tell apart", "FATAL", undefined, "unknown"],
  ["the same of an older pooler", "ERROR", undefined, "unknown"],
] as const)("of state 08P01, %s", ([, severity, routine, failure]) => {
  const words = { code: "08P01", severity, ...(routine === undefined ? {} : { routine }) };
  expect(failureOf(spoken(words))).toBe(failure);
});

test("a lost connection leaves the outcome unknown", () => {
  expect(failureOf(spoken({ code: "08006", severity: "FATAL" }))).toBe("unknown");
  expect(failureOf(Object.assign(new Error("reset"), { code: "ECONNRESET" }))).toBe("unknown");
});
