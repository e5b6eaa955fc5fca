import { describe, expect, test } from "vitest";
import { readCount, readJson } from "./answer.ts";
import { readRefusal } from "./graph-answer.ts";

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  text: typeof body === "string" ? body : JSON.stringify(body),
});

describe("reading a refusal", () => {
  test("Graph's own envelope gives message, code, subcode and trace", () => {
    const error = readRefusal(
      answer(400, {
        error: {
          message: "Unsupported post request",
          type: "GraphMethodException",
          code: 100,
          error_subcode: 33,
          fbtrace_id: "Abc",
        },
      }),
    );
    expect(error).toMatchObject({ code: "not-found", message: "Unsupported post request (400)" });
    expect(error.facts).toMatchObject({ graphCode: 100, graphSubcode: 33, traceId: "Abc" });
    expect(error.hint).toMatch(/WhatsApp business account/);
  });

  test("the upload service's envelope alone gives its message and type", () => {
    const debug_info = { retriable: false, type: "ParameterValidationError", message: "bad" };
    const error = readRefusal(answer(400, { debug_info }));
    expect(error).toMatchObject({ code: "refused", message: "bad (400)" });
    expect(error.facts.type).toBe("ParameterValidationError");
  });

  test("a page of a proxy is told by its first words", () => {
    const error = readRefusal(answer(413, "<html>\n<b>Request Entity Too Large</b>"));
    expect(error.message).toContain("Request Entity Too Large");
    expect(error.hint).toMatch(/chunkSize/);
  });

  test.each([
    [401, {}, "not-authorised"],
    [403, {}, "not-authorised"],
    [400, { error: { code: 190 } }, "not-authorised"],
    [400, { error: { code: 200 } }, "not-authorised"],
    [404, {}, "not-found"],
    [410, {}, "gone"],
    [412, {}, "offset-mismatch"],
    [400, { debug_info: { type: "OffsetInvalidError" } }, "offset-mismatch"],
    [429, {}, "rate-limited"],
    [400, { error: { code: 613 } }, "rate-limited"],
    [408, {}, "server-trouble"],
    [507, {}, "server-trouble"],
    [501, {}, "refused"],
    [400, { error: { code: 2 } }, "server-trouble"],
    [400, { error: { code: 100, is_transient: true } }, "server-trouble"],
    [400, { error: { code: 100, error_subcode: 2494102 } }, "handle-invalid"],
    [409, {}, "refused"],
    [302, "", "refused"],
  ])("%i %j is %s", (status, body, code) => {
    expect(readRefusal(answer(status, body)).code).toBe(code);
  });

  test("a wait is read from backoff in milliseconds or Retry-After in seconds or as a date", () => {
    expect(readRefusal(answer(429, { debug_info: { backoff: 1500 } })).facts.waitMs).toBe(1500);
    expect(readRefusal(answer(429, { backoff: "900" })).facts.waitMs).toBe(900);
    expect(readRefusal(answer(503, "", { "retry-after": "3" })).facts.waitMs).toBe(3000);
    const past = { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" };
    expect(readRefusal(answer(503, "", past)).facts.waitMs).toBe(0);
  });
});

describe("reading an answer", () => {
  test("an offset may be a number or a string, and nothing else", () => {
    expect(readCount({ file_offset: 12 }, "file_offset")).toBe(12);
    expect(readCount({ file_offset: "12" }, "file_offset")).toBe(12);
    for (const wrong of ["-1", "1.5", "0x10", "", " 7", "1e3", -1, 0.5, null, true, 2 ** 60]) {
      expect(readCount({ file_offset: wrong }, "file_offset")).toBeUndefined();
    }
  });

  test("what is no JSON object is a bad answer", () => {
    for (const text of ["", "[]", "null", "<html>", '{"h":']) {
      expect(() => readJson(answer(200, text))).toThrow(/not JSON/);
    }
  });
});
