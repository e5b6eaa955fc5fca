import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { GraphApi, uploadPath } from "../conformance/graph/graph-api.ts";
import { answersIn } from "./answer-stream.ts";
import { sendRaw } from "./raw-trial.ts";
import { eventually } from "../support/eventually.ts";
import { headerValue, type RawResponse } from "../support/raw-http.ts";
import { ServerProcess } from "../support/server-process.ts";
import { recordPlanted } from "../support/trials.ts";
import { spoiltProgram } from "./planted/spoilt-program.ts";
import { recordBadInput } from "./record-bad-input.ts";

/*
 * A request is hidden where a proxy in front and this server could disagree about where the one
 * before it ends. It would give an upload up; the upload must live on, and no line of the access
 * log may name it.
 */

const length = 100;

/** The lines that frame a body, and what follows them; `hidden` is the request in hiding. */
type Shape = readonly [name: string, rest: (hidden: string) => string];

const chunk = (hidden: string): string => `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

/** Each must be refused with 400 and the connection closed. */
const refused: readonly [Shape, ...Shape[]] = [
  ["CL.TE", (m) => `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${m}`],
  ["TE.CL", (m) => `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${m}`],
  ["CL.0 and TE", (m) => `Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${m}`],
  ["two lengths, equal", (m) => `Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde${m}`],
  ["two lengths, different", (m) => `Content-Length: 5\r\nContent-Length: 0\r\n\r\nabcde${m}`],
  ["two lengths in a list", (m) => `Content-Length: 5, 5\r\n\r\nabcde${m}`],
  ["two lengths in a list, different", (m) => `Content-Length: 0, 5\r\n\r\nabcde${m}`],
  ["a length with a plus", (m) => `Content-Length: +5\r\n\r\nabcde${m}`],
  ["a negative length", (m) => `Content-Length: -5\r\n\r\n${m}`],
  ["a length with a space inside", (m) => `Content-Length: 1 0\r\n\r\na${m}`],
  ["an empty length", (m) => `Content-Length: \r\n\r\n${m}`],
  ["a hexadecimal length", (m) => `Content-Length: 0x5\r\n\r\nabcde${m}`],
  ["a length with an exponent", (m) => `Content-Length: 5e0\r\n\r\nabcde${m}`],
  ["a length with a point", (m) => `Content-Length: 5.0\r\n\r\nabcde${m}`],
  ["a length past 2^64", (m) => `Content-Length: 18446744073709551621\r\n\r\nabcde${m}`],
  ["a length in other digits", (m) => `Content-Length: ٥\r\n\r\nabcde${m}`],
  ["a space before the length's colon", (m) => `Content-Length : 5\r\n\r\nabcde${m}`],
  ["a NUL in the length's name", (m) => `Content-Length\0: 5\r\n\r\nabcde${m}`],
  ["a space before the encoding's colon", (m) => `Transfer-Encoding : chunked\r\n\r\n${chunk(m)}`],
  ["a tab before the encoding's colon", (m) => `Transfer-Encoding\t: chunked\r\n\r\n${chunk(m)}`],
  ["xchunked", (m) => `Transfer-Encoding: xchunked\r\n\r\n${chunk(m)}`],
  [
    "xchunked and a length",
    (m) => `Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n12345${m}`,
  ],
  ["identity", (m) => `Transfer-Encoding: identity\r\n\r\n${m}`],
  [
    "identity and a length",
    (m) => `Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nabcde${m}`,
  ],
  ["chunked, then identity", (m) => `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${m}`],
  ["chunked, then gzip", (m) => `Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${m}`],
  [
    "two encodings, the last unknown",
    (m) => `Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n${m}`,
  ],
  ["a quoted encoding", (m) => `Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${m}`],
  ["an encoding with a parameter", (m) => `Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n${m}`],
  ["an encoding with a vertical tab", (m) => `Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n${m}`],
  ["an empty encoding", (m) => `Transfer-Encoding: \r\n\r\n${m}`],
  ["an encoding after a line feed", (m) => `X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${m}`],
  ["an encoding after a bare CR", (m) => `X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${m}`],
  ["a folded encoding", (m) => `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${m}`],
  ["an encoding that is a fold", (m) => `X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${m}`],
  ["a folded length", (m) => `Content-Length:\r\n 5\r\n\r\nabcde${m}`],
  ["a NUL in a value", (m) => `X: a\0b\r\nContent-Length: 0\r\n\r\n${m}`],
  ["a line without a colon", (m) => `Content-Length: 0\r\nX\r\n\r\n${m}`],
  ["a line without a name", (m) => `: x\r\nContent-Length: 0\r\n\r\n${m}`],
  ["a bare line feed ends the head", (m) => `Content-Length: 0\n\n${m}`],
];

const chunked = (rest: string): string => `Transfer-Encoding: chunked\r\n\r\n${rest}`;

/** Bodies in which a lenient reader would find another end. Refused likewise. */
const brokenChunks: readonly Shape[] = [
  ["a chunk size past 2^64", (m) => chunked(`10000000000000005\r\nabcde\r\n0\r\n\r\n${m}`)],
  ["a negative chunk size", (m) => chunked(`-5\r\nabcde\r\n0\r\n\r\n${m}`)],
  ["a chunk size with 0x", (m) => chunked(`0x5\r\nabcde\r\n0\r\n\r\n${m}`)],
  ["a chunk size with a plus", (m) => chunked(`+5\r\nabcde\r\n0\r\n\r\n${m}`)],
  ["a chunk size after a space", (m) => chunked(` 5\r\nabcde\r\n0\r\n\r\n${m}`)],
  ["a chunk size before a space", (m) => chunked(`5 \r\nabcde\r\n0\r\n\r\n${m}`)],
  ["an empty chunk size", (m) => chunked(`\r\n0\r\n\r\n${m}`)],
  ["a chunk size that ends in a line feed", (m) => chunked(`5\nabcde\r\n0\r\n\r\n${m}`)],
  ["a chunk extension with a line feed", (m) => chunked(`5;a\nabcde\r\n0\r\n\r\n${m}`)],
  ["a chunk extension with a bare CR", (m) => chunked(`5;a\rb\r\nabcde\r\n0\r\n\r\n${m}`)],
  [
    "a very long chunk extension",
    (m) => chunked(`5;${"x".repeat(20_000)}\r\nabcde\r\n0\r\n\r\n${m}`),
  ],
  ["a chunk without its end", (m) => chunked(`5\r\nabcde0\r\n\r\n${m}`)],
  ["a chunk that ends in a line feed", (m) => chunked(`5\r\nabcde\n0\r\n\r\n${m}`)],
  ["a chunk longer than its size", (m) => chunked(`5\r\nabcdef\r\n0\r\n\r\n${m}`)],
  ["a last chunk that ends in a line feed", (m) => chunked(`5\r\nabcde\r\n0\n\n${m}`)],
  [
    "a length among the trailers",
    (m) => chunked(`5\r\nabcde\r\n0\r\nContent-Length: 9\r\n\r\n${m}`),
  ],
  ["a trailer that is none", (m) => chunked(`5\r\nabcde\r\n0\r\nno colon\r\n\r\n${m}`)],
  ["a trailer with a bare line feed", (m) => chunked(`5\r\nabcde\r\n0\r\nX: y\n\n${m}`)],
];

/** These have one meaning only: the hidden bytes are the body's, or the request's own end is clear. */
const unambiguous: readonly (readonly [...Shape, taken: number])[] = [
  ["a body that looks like a request", (m) => `Content-Length: ${m.length}\r\n\r\n${m}`, -1],
  ["a chunk that looks like a request", (m) => chunked(chunk(m)), -1],
  ["a chunk extension", () => chunked("5;a=b\r\nabcde\r\n0;c\r\n\r\n"), 5],
  [
    "an encoding in other letters",
    () => "Transfer-Encoding: CHUNKED\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    5,
  ],
  ["a length with zeros before it", () => "Content-Length: 005\r\n\r\nabcde", 5],
];

interface Target {
  readonly server: ServerProcess;
  readonly api: GraphApi;
}

let server: ServerProcess;
let api: GraphApi;
let trials = 0;

const fault = "a request hidden in another";

beforeAll(async () => {
  ({ server, api } = targetOf(await ServerProcess.start()));
});

function targetOf(started: ServerProcess): Target {
  const { address: url, appId, token } = started;
  return { server: started, api: new GraphApi({ url, appId, token }) };
}

afterAll(async () => {
  await server.remove();
  await recordBadInput({ fault, n: trials, seed: 0 });
});

interface Outcome {
  readonly answers: readonly RawResponse[];
  /** Where the addressed upload stands afterwards. */
  readonly offset: number;
}

type Attack = readonly [string, Shape[1], ...unknown[]];

async function attack(line: string, shape: Attack): Promise<Outcome> {
  const outcome = await attackAt({ server, api }, line, shape);
  trials += 1;
  return outcome;
}

/** Sends a shape at a fresh upload, with a request hidden in it that must not be seen. */
async function attackAt({ server, api }: Target, line: string, [, rest]: Attack): Promise<Outcome> {
  const id = await api.start({ file_length: 1_000 });
  const victim = await api.start({ file_length: length });
  const authorization = `Authorization: OAuth ${api.token}\r\n`;
  const hidden = `DELETE ${uploadPath(victim)} HTTP/1.1\r\nHost: a\r\n${authorization}\r\n`;
  const head = `${line.replace("{id}", uploadPath(id))}\r\nHost: a\r\n${authorization}file_offset: 0\r\n`;
  const { received } = await sendRaw(
    { host: "127.0.0.1", port: server.port },
    { slices: [Buffer.from(head + rest(hidden))], settled: () => false, quietMs: 150 },
  );
  const parsed = answersIn(received, { headPossible: false });
  expect(parsed.rest.toString()).toBe("");
  const standing = await api.status(victim);
  expect(standing.status, "the hidden request was carried out").toBe(200);
  expect(standing.number("file_offset")).toBe(0);
  const uuid = uuidOf(victim);
  const seen = server.logLines.filter((each) => each.includes('"DELETE"') && each.includes(uuid));
  expect(seen, "the hidden request is in the access log").toEqual([]);
  return { answers: parsed.answers, offset: await api.offset(id) };
}

function uuidOf(id: string): string {
  const payload = Buffer.from(id.slice("upload:".length).split("?")[0] ?? "", "base64").toString();
  return payload.split("?")[0]?.split(":").at(-1) ?? "";
}

function expectOneRefusal({ answers }: Outcome): void {
  const shown = answers.map(({ status, body }) => `${status} ${body.toString()}`).join("\n");
  expect(answers, shown).toHaveLength(1);
  expect(answers[0]?.status, shown).toBe(400);
  expect(answers[0] && headerValue(answers[0], "connection")?.toLowerCase(), shown).toBe("close");
}

const append = "POST {id} HTTP/1.1";

describe("a request whose end two readers could see at different places", () => {
  it("would be noticed: the same one in plain sight is carried out", async () => {
    const victim = await api.start({ file_length: length });
    const line = `Host: a\r\nAuthorization: OAuth ${api.token}\r\n\r\n`;
    const bytes = `GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nDELETE ${uploadPath(victim)} HTTP/1.1\r\n${line}`;
    await sendRaw(
      { host: "127.0.0.1", port: server.port },
      { slices: [Buffer.from(bytes)], settled: () => false, quietMs: 1_000 },
    );
    expect((await api.status(victim)).status).toBe(410);
    const uuid = uuidOf(victim);
    const seen = () =>
      server.logLines.filter((each) => each.includes('"DELETE"') && each.includes(uuid));
    await eventually(() => seen()[0], { what: "its line in the access log" });
    expect(seen()).toHaveLength(1);
  });

  it("would be noticed: a server that reads leniently carries one out", async (context) => {
    const lenient = await ServerProcess.start({ program: spoiltProgram("lenient-parser") });
    context.onTestFinished(() => lenient.remove());
    const [shape] = refused;
    const attacking = attackAt(targetOf(lenient), append, shape);
    const as = await attacking.then(() => "nothing", String);
    expect(as).toMatch(/was carried out/);
    await recordPlanted({ harness: fault, planted: "a lenient parser", noticedAfter: 1, as });
  });

  it.for(refused)("is refused and the connection closed: %s", async (shape) => {
    const outcome = await attack(append, shape);
    expectOneRefusal(outcome);
    expect(outcome.offset).toBe(0);
  });

  it.for(brokenChunks)("is refused and the connection closed: %s", async (shape) => {
    const outcome = await attack(append, shape);
    expectOneRefusal(outcome);
    // Whole chunks before the broken one are the upload's, and were told as such.
    expect([0, 5]).toContain(outcome.offset);
    expect(outcome.answers[0]?.body.toString()).toContain(`${outcome.offset} bytes are stored`);
  });

  it.for(unambiguous)("has one meaning, and that is taken: %s", async (shape) => {
    const { answers, offset } = await attack(append, shape);
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(offset).toBeGreaterThanOrEqual(shape[2] === -1 ? 50 : shape[2]);
    if (shape[2] !== -1) expect(offset).toBe(shape[2]);
  });
});

describe("a chunk that is longer than anything can be", () => {
  it("holds all that follows, and never ends well", async () => {
    const outcome = await attack(append, ["", (m) => chunked(`FFFFFFFFFFFFFFFF\r\n${m}`)]);
    expectOneRefusal(outcome);
    expect(outcome.offset).toBeGreaterThan(50);
  });
});

describe("a body where none belongs", () => {
  it.for(["GET /healthz HTTP/1.1", "GET /v21.0/app/files HTTP/1.1", "HEAD /healthz HTTP/1.1"])(
    "is a body all the same: %s",
    async (line) => {
      const { answers } = await attack(line, [
        "",
        (m) => `Content-Length: ${m.length}\r\n\r\n${m}`,
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200]);
    },
  );

  it("in chunks without HTTP/1.1 is refused or read as one", async () => {
    const outcome = await attack("POST {id} HTTP/1.0", ["", (m) => chunked(chunk(m))]);
    expect(outcome.answers.length).toBeLessThanOrEqual(1);
  });

  it.for(["h2c", "websocket"])("of an offer to change to %s is not another request", async (to) => {
    const offer = `Connection: Upgrade\r\nUpgrade: ${to}\r\n`;
    const { answers } = await attack(append, [
      "",
      (m) => `${offer}Content-Length: ${m.length}\r\n\r\n${m}`,
    ]);
    expect(answers.length).toBeLessThanOrEqual(1);
  });
});

describe("more headers than Node hands over", () => {
  const many = "a:\r\n".repeat(2_100);

  it.for<Shape>([
    ["a length", (m) => `${many}Content-Length: ${m.length}\r\n\r\n${m}`],
    ["an encoding", (m) => `${many}${chunked(chunk(m))}`],
  ])("cannot hide %s behind them", async (shape) => {
    const { answers } = await attack(append, shape);
    expect(answers.length).toBeLessThanOrEqual(1);
  });
});
