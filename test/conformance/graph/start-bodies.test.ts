import { describe, expect, it } from "vitest";

import { expectGraphError, malformed } from "./expect-error.ts";
import { type GraphAnswer, queryOf } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const good = { file_name: "größe.pdf", file_length: "10", file_type: "application/pdf" };

interface Typed {
  readonly type: string;
  readonly body: string;
}

async function post({ type, body }: Typed, query = ""): Promise<GraphAnswer> {
  const { api } = target();
  const path = `/v21.0/${api.appId}/uploads${query}`;
  return api.request({ method: "POST", path, headers: { "Content-Type": type }, body });
}

function urlencoded(fields: Readonly<Record<string, string>>): Typed {
  return { type: "application/x-www-form-urlencoded", body: queryOf(fields) };
}

function json(value: unknown): Typed {
  return { type: "application/json", body: JSON.stringify(value) };
}

function multipart(fields: Readonly<Record<string, string>>): Typed {
  const boundary = "----a-boundary-0123456789";
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const body = `${parts.join("")}--${boundary}--\r\n`;
  return { type: `multipart/form-data; boundary=${boundary}`, body };
}

/** What the id remembers shows that the body was read as it was meant. */
function expectStarted(answer: GraphAnswer): void {
  expect(answer.status, answer.body.toString()).toBe(200);
  const base64 = /^upload:([^?]+)/.exec(answer.text("id"))?.[1] ?? "";
  const payload = Buffer.from(base64, "base64").toString();
  const parameters = new URLSearchParams(payload.slice(payload.indexOf("?") + 1));
  expect(Object.fromEntries(parameters)).toMatchObject(good);
}

const encodings = [
  ["urlencoded", urlencoded],
  ["multipart", multipart],
  ["JSON", json],
] as const;

describe("starting with the parameters in the body", () => {
  it.for(encodings)("a %s body is read like a query, token and all", async ([, encode]) => {
    const { token } = target().api;
    expectStarted(await post(encode({ ...good, access_token: token })));
  });

  it.for(encodings)("a %s body and a query complement each other", async ([, encode]) => {
    const { file_name, ...rest } = good;
    const query = `?${queryOf({ access_token: target().api.token, file_name })}`;
    expectStarted(await post(encode(rest), query));
  });

  it.for(encodings)("a bad value in a %s body is named", async ([, encode]) => {
    const bad = { ...good, file_length: "ten", access_token: target().api.token };
    expectGraphError(await post(encode(bad)), { ...malformed, message: /file_length/ });
  });

  it("the media type of the body is read in any case and with parameters", async () => {
    const fields = { ...good, access_token: target().api.token };
    const { body } = json(fields);
    expectStarted(await post({ type: "Application/JSON; charset=utf-8", body }));
    const form = urlencoded(fields).body;
    const type = "application/x-www-form-urlencoded;charset=UTF-8";
    expectStarted(await post({ type, body: form }));
  });

  it("file_length may be a JSON number", async () => {
    const access_token = target().api.token;
    expectStarted(await post(json({ ...good, file_length: 10, access_token })));
  });

  it("a JSON number that is no length is refused", async () => {
    const access_token = target().api.token;
    for (const file_length of [0, -1, 1.5, 2 ** 53, true, null, [10], { value: 10 }]) {
      const answer = await post(json({ ...good, file_length, access_token }));
      expectGraphError(answer, { ...malformed, message: /file_length/ });
    }
  });

  it("a body that is no JSON, or no object, is refused and is never a server error", async () => {
    const query = `?access_token=${target().api.token}`;
    for (const body of ['{"file_name":', "[]", "7", '"text"', "null", "\u0000"]) {
      const answer = await post({ type: "application/json", body }, query);
      expectGraphError(answer, malformed);
    }
  });

  it("a multipart body without its boundary or its end is refused", async () => {
    const query = `?access_token=${target().api.token}`;
    const { type, body } = multipart(good);
    const broken = [
      { type: "multipart/form-data", body },
      { type, body: body.slice(0, -20) },
    ];
    for (const sent of broken) expectGraphError(await post(sent, query), malformed);
  });

  it("names that JavaScript objects are born with are parameters like any other", async () => {
    const { token } = target().api;
    const body = `{"__proto__":{"file_name":"b"},"constructor":1,${JSON.stringify({
      ...good,
      access_token: token,
    }).slice(1)}`;
    expectStarted(await post({ type: "application/json", body }));
  });
});
