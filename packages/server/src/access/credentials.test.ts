import { describe, expect, it } from "vitest";
import type { UploadErrorCode } from "../base/errors.ts";
import { UploadError } from "../base/errors.ts";
import { readCredentials } from "./credentials.ts";

interface Given {
  readonly authorization?: readonly string[];
  readonly parameters?: readonly string[];
  readonly headerOnly?: boolean;
}

function read({ authorization = [], parameters = [], headerOnly = false }: Given): string {
  return readCredentials({ authorization, parameters, headerOnly });
}

function codeOf(given: Given): UploadErrorCode | undefined {
  try {
    read(given);
  } catch (error) {
    if (error instanceof UploadError) return error.code;
    throw error;
  }
  return undefined;
}

describe("readCredentials", () => {
  it.for(["OAuth t", "oauth t", "BEARER t", "bEaReR   t", " Bearer t "])("reads %j", (header) => {
    expect(read({ authorization: [header] })).toBe("t");
  });

  it("reads a parameter, and takes the same token everywhere for one", () => {
    expect(read({ parameters: ["t"] })).toBe("t");
    expect(read({ authorization: ["OAuth t"], parameters: ["t", "", "t"] })).toBe("t");
  });

  it("does not look at parameters where only the header counts", () => {
    expect(codeOf({ parameters: ["t"], headerOnly: true })).toBe("token_missing");
    const both = { authorization: ["OAuth t"], parameters: ["u"], headerOnly: true };
    expect(read(both)).toBe("t");
  });

  it.for<[UploadErrorCode, Given]>([
    ["token_missing", {}],
    ["token_missing", { parameters: [""] }],
    ["request_malformed", { authorization: ["OAuth t", "OAuth t"] }],
    ["request_malformed", { authorization: ["OAuth t, OAuth t"] }],
    ["request_malformed", { authorization: ["OAuth t"], parameters: ["u"] }],
    ["request_malformed", { parameters: ["t", "u"] }],
    ["token_invalid", { authorization: ["Basic dTpw"] }],
    ["token_invalid", { authorization: ["OAuth"] }],
    ["token_invalid", { authorization: ["Bearer "] }],
    ["token_invalid", { authorization: ["t"] }],
    ["token_invalid", { authorization: [""] }],
    ["token_invalid", { parameters: ["tökén"] }],
    ["token_invalid", { parameters: ["x".repeat(277)] }],
  ])("answers %s to %j", ([code, given]) => {
    expect(codeOf(given)).toBe(code);
  });
});
