import { describe, expect, it } from "vitest";

import { expectGraphError, malformed } from "./expect-error.ts";
import { queryOf } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const good = { file_name: "a.pdf", file_length: "10", file_type: "application/pdf" } as const;
type Parameter = keyof typeof good;
const parameters: readonly Parameter[] = ["file_name", "file_length", "file_type"];

const guideTypes = ["application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"];

async function expectAccepted(changed: Readonly<Record<string, string>>): Promise<void> {
  const { api } = target();
  const answer = await api.startWith({ ...good, ...changed, access_token: api.token });
  expect(answer.status, answer.body.toString()).toBe(200);
  expect(answer.text("id")).toMatch(/^upload:/);
}

async function expectRefused(parameter: Parameter, value: string): Promise<void> {
  const { api } = target();
  const fields = { ...good, [parameter]: value, access_token: api.token };
  const answer = await api.startWith(fields);
  expectGraphError(answer, { ...malformed, message: new RegExp(parameter) });
}

describe("starting: every parameter is required", () => {
  it.for(parameters)("a start without %s is refused and the message names it", async (missing) => {
    const { api } = target();
    const fields = Object.entries({ ...good, access_token: api.token });
    const answer = await api.startWith(fields.filter(([name]) => name !== missing));
    expectGraphError(answer, { ...malformed, message: new RegExp(missing) });
  });

  it.for(parameters)("an empty %s is refused and the message names it", async (empty) => {
    await expectRefused(empty, "");
  });

  it.for(parameters)("a doubled %s is refused and the message names it", async (doubled) => {
    const { api } = target();
    const other = { file_name: "b.pdf", file_length: "11", file_type: "image/png" }[doubled];
    const once = Object.entries({ ...good, access_token: api.token });
    const answer = await api.startWith([...once, [doubled, other]]);
    expectGraphError(answer, { ...malformed, message: new RegExp(doubled) });
  });
});

describe("starting: file_length", () => {
  it.for(["1", "10", "1000000"])("%s is accepted", async (file_length) => {
    await expectAccepted({ file_length });
  });

  const bad = [
    "0",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x10",
    " 5",
    "5 ",
    "007",
    "ten",
    "１",
    "1,000",
    "NaN",
  ];
  it.for(bad)("%j is no strict decimal from 1 and is refused", async (file_length) => {
    await expectRefused("file_length", file_length);
  });

  const huge = ["9007199254740992", "18446744073709551617", "9".repeat(400)];
  it.for(huge)("%s is beyond 2^53-1 and is refused", async (file_length) => {
    await expectRefused("file_length", file_length);
  });

  it("is at most the app's limit", async (context) => {
    const api = await target().secondApp(context, { lengthMax: 1000 });
    const start = async (file_length: string) =>
      api.startWith({ ...good, file_length, access_token: api.token });
    expect((await start("1000")).status).toBe(200);
    expectGraphError(await start("1001"), { ...malformed, message: /file_length.*1000/ });
  });
});

describe("starting: file_name", () => {
  const accepted = ["a", "größe ✓ 日本.pdf", "with space & = ? # + %.pdf", "x".repeat(255)];
  it.for(accepted)("%j is accepted", async (file_name) => {
    await expectAccepted({ file_name });
  });

  it("is counted in bytes of UTF-8, up to 255", async () => {
    await expectAccepted({ file_name: `a${"ä".repeat(127)}` });
    await expectRefused("file_name", "ä".repeat(128));
    await expectRefused("file_name", "x".repeat(256));
  });

  const bad = ["a\u0000b", "a\nb", "a\rb", "a\tb", "a\u001bb", "a\u007fb", "a/b", "../a", "a\\b"];
  it.for(bad)("%j holds what a name must not and is refused", async (file_name) => {
    await expectRefused("file_name", file_name);
  });

  it("that is no UTF-8 is refused", async () => {
    const { api } = target();
    const { file_length, file_type } = good;
    const rest = queryOf({ file_length, file_type });
    const path = `/v21.0/${api.appId}/uploads?file_name=a%FFb.pdf&${rest}`;
    const answer = await api.authorized({ method: "POST", path });
    expectGraphError(answer, { ...malformed, message: /file_name/ });
  });
});

describe("starting: file_type", () => {
  it.for(guideTypes)("%s is one of the guide's types and is accepted", async (file_type) => {
    await expectAccepted({ file_type });
  });

  const others = ["image/gif", "text/html", "video/quicktime", "application/octet-stream", "pdf"];
  it.for(others)("%s is none of them and is refused", async (file_type) => {
    await expectRefused("file_type", file_type);
  });

  it("that is refused is answered with the valid ones", async () => {
    const { api } = target();
    const fields = { ...good, file_type: "image/gif", access_token: api.token };
    const { message } = (await api.startWith(fields)).record("error");
    for (const type of guideTypes) expect(message).toContain(type);
  });

  it("is one of the types the app allows", async (context) => {
    const api = await target().secondApp(context, { types: ["image/webp", "image/gif"] });
    const start = async (file_type: string) =>
      api.startWith({ ...good, file_type, access_token: api.token });
    expect((await start("image/webp")).status).toBe(200);
    expectGraphError(await start("application/pdf"), { ...malformed, message: /image\/webp/ });
  });
});

describe("starting: other parameters", () => {
  it("session_type=attachment is accepted", async () => {
    await expectAccepted({ session_type: "attachment" });
  });

  it("unknown parameters are ignored", async () => {
    await expectAccepted({ upload_phase: "start", anything: "at all", fields: "id" });
  });
});
