import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { upload } from "../index.ts";
import type { Fault } from "../testing/fake-graph.ts";
import { FakeGraph, json } from "../testing/fake-graph.ts";
import { failureOf, optionsFor } from "../testing/upload-case.ts";

const content = randomBytes(1_000_000);
const chunkSize = 100_000;
let fake: FakeGraph;

beforeEach(async () => {
  fake = await FakeGraph.listen();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

/** Tokens that are good for so many appends each; the service refuses them afterwards, in its words. */
function expiringTokens(appends: number, status: number) {
  const issued: string[] = [];
  let used = 0;
  const check: Fault = async ({ request, response }) => {
    used += 1;
    if (request.headers.authorization === `OAuth ${issued.at(-1)}` && used <= appends) return false;
    await once(request.resume(), "end");
    const error = { message: "Session has expired", type: "OAuthException", code: 190 };
    json(response, status, { error: { ...error, error_subcode: 463 } });
    return true;
  };
  const issue = () => {
    used = 0;
    issued.push(`token-${issued.length}`);
    return issued.at(-1) ?? "";
  };
  return { issued, check, issue };
}

describe("a token that expires in the middle of an upload", () => {
  test.each([401, 400])("is asked for anew, and nothing is lost (%i)", async (status) => {
    const tokens = expiringTokens(3, status);
    fake.appendFaults.push(...Array.from({ length: 20 }, () => tokens.check));
    const result = await upload(content, optionsFor(fake, { chunkSize, token: tokens.issue }));
    expect(fake.kept.equals(content)).toBe(true);
    // Ten parts, three with each token.
    expect(tokens.issued).toEqual(["token-0", "token-1", "token-2", "token-3"]);
    expect(result.retries).toBe(0);
  });

  test("ends the upload when the callback has no other", async () => {
    const tokens = expiringTokens(3, 400);
    fake.appendFaults.push(...Array.from({ length: 20 }, () => tokens.check));
    const [only] = [tokens.issue()];
    const error = await failureOf(
      upload(content, optionsFor(fake, { chunkSize, token: () => only })),
    );
    expect(error).toMatchObject({
      code: "not-authorised",
      facts: { graphCode: 190 },
      hint: "The token has expired; get a new one.",
    });
    expect(fake.kept.equals(content.subarray(0, 3 * chunkSize))).toBe(true);
  });

  test("is asked for again when the callback failed, even before it answered a promise", async () => {
    const answers = [new Error("not signed in yet"), fake.token];
    const token = (): string => {
      const answer = answers.shift() ?? "none";
      if (answer instanceof Error) throw answer;
      return answer;
    };
    await upload(content, optionsFor(fake, { token }));
    expect(fake.kept.equals(content)).toBe(true);
    expect(fake.headers.at(-1)?.authorization).toBe(`OAuth ${fake.token}`);
  });

  test("does not hold up an end that is asked for, however long the callback takes", async () => {
    const task = upload(content, optionsFor(fake, { token: () => new Promise<string>(() => 0) }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    task.abort();
    expect((await failureOf(task)).code).toBe("aborted");
  });
});
