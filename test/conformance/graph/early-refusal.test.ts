import { describe, expect, it, type TestContext } from "vitest";

import {
  headerValue,
  type HeaderLine,
  type RawConnection,
  rawRequest,
  type RawResponse,
} from "../../support/raw-http.ts";
import { patternBytes, patternChunks } from "../../support/seeded.ts";
import { uploadPath } from "./graph-api.ts";
import { declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 100_000;
const bytes = patternBytes({ seed: 81, length });

type Head = readonly HeaderLine[];

function expecting(contentLength: number): Head {
  return [
    ["Content-Length", `${contentLength}`],
    ["Expect", "100-continue"],
  ];
}

function envelopesOf(answer: RawResponse): unknown {
  return JSON.parse(answer.body.toString());
}

describe("Expect: 100-continue", () => {
  async function ask(
    context: TestContext,
    request: { readonly id: string; readonly headers: Head },
  ): Promise<RawConnection> {
    const connection = await target().connect(context);
    const path = target().api.pathOf(uploadPath(request.id));
    await connection.sendHead({ method: "POST", path, headers: request.headers });
    return connection;
  }

  async function expectRefused(connection: RawConnection, status: number): Promise<void> {
    expect(await connection.readInterim(), "no continue before the refusal").toBeUndefined();
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(status);
    expect(envelopesOf(answer)).toHaveProperty("error");
    expect(envelopesOf(answer)).toHaveProperty("debug_info");
    expect(headerValue(answer, "connection")?.toLowerCase()).toBe("close");
    connection.close();
  }

  it("is answered with 100 when all that is known is good, and the bytes are taken", async (context) => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const append = { id, offset: 0 };
    using connection = await target().beginAppend(context, append, expecting(length));
    expect((await connection.readInterim())?.status).toBe(100);
    await connection.write(bytes);
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(Object.keys(envelopesOf(answer) ?? {})).toEqual(["h"]);
  });

  it("is not continued with no token or a bad one", async (context) => {
    const id = await target().api.start({ file_length: length });
    const offset: HeaderLine = ["file_offset", "0"];
    const stranger: HeaderLine = ["Authorization", "OAuth nobody-knows-it"];
    const heads: Head[] = [
      [offset, ...expecting(length)],
      [stranger, offset, ...expecting(length)],
    ];
    for (const headers of heads) await expectRefused(await ask(context, { id, headers }), 401);
  });

  it("is not continued with a bad signature", async (context) => {
    const { api } = target();
    const id = "upload:AAAA?sig=ARAAAAAAAAAAAAAAAAA";
    const token: HeaderLine = ["Authorization", `OAuth ${api.token}`];
    const headers: Head = [token, ["file_offset", "0"], ...expecting(length)];
    await expectRefused(await ask(context, { id, headers }), 400);
  });

  it("is not continued at a wrong or a missing offset", async (context) => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const token: HeaderLine = ["Authorization", `OAuth ${api.token}`];
    const wrong: Head = [token, ["file_offset", "5"], ...expecting(length)];
    await expectRefused(await ask(context, { id, headers: wrong }), 412);
    const missing: Head = [token, ...expecting(length)];
    await expectRefused(await ask(context, { id, headers: missing }), 400);
    expect(await api.offset(id)).toBe(0);
  });

  it("is not continued with a body that is too long", async (context) => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const append = { id, offset: 0 };
    using connection = await target().beginAppend(context, append, expecting(length + 1));
    await expectRefused(connection, 400);
    expect(await api.offset(id)).toBe(0);
  });
});

describe("a body of 300 MB that will not be taken", () => {
  const huge = 300_000_000;
  // What two kernels may hold between them on loopback, beyond the mebibyte the server drops.
  const takenMax = (1 + 24) * 1024 * 1024;

  interface Refused {
    readonly name: string;
    readonly status: number;
    readonly headers: Head;
    readonly envelopes: object;
  }

  const cases: readonly Refused[] = [
    {
      name: "because of a bad token",
      status: 401,
      headers: [
        ["Authorization", "OAuth nobody-knows-it"],
        ["file_offset", "0"],
      ],
      envelopes: { error: { code: 190 }, debug_info: { type: "NotAuthorizedError" } },
    },
    {
      name: "because there is no token",
      status: 401,
      headers: [["file_offset", "0"]],
      envelopes: { error: { code: 104 }, debug_info: { type: "NotAuthorizedError" } },
    },
  ];

  async function begin(context: TestContext, headers: Head): Promise<RawConnection> {
    const id = await target().api.start({ file_length: huge });
    const connection = await target().connect(context);
    const path = target().api.pathOf(uploadPath(id));
    const declared: Head = [...headers, ["Content-Length", `${huge}`]];
    await connection.sendHead({ method: "POST", path, headers: declared });
    return connection;
  }

  it.for(cases)("$name is answered at once", async ({ status, headers, envelopes }, context) => {
    using connection = await begin(context, headers);
    const chunks = patternChunks({ seed: 82, length: huge }, 64 * 1024);
    const taken = await connection.writeWhileTaken(chunks, { untilAnswered: true });
    expect(taken).toBeLessThan(takenMax);
    const answer = await connection.answer();
    expect(answer.status).toBe(status);
    expect(envelopesOf(answer)).toMatchObject(envelopes);
    expect(headerValue(answer, "connection")?.toLowerCase()).toBe("close");
  });

  it.for(cases)("$name is not read, however hard it is pushed", async ({ headers }, context) => {
    using connection = await begin(context, headers);
    const chunks = patternChunks({ seed: 83, length: huge }, 64 * 1024);
    expect(await connection.writeWhileTaken(chunks)).toBeLessThan(takenMax);
    expect(await connection.peerClosed()).not.toBe("open");
  });

  it("at a wrong offset is answered at once and changes nothing", async (context) => {
    const { api } = target();
    const id = await api.start({ file_length: huge + 1 });
    const append = { id, offset: 1 };
    using connection = await target().beginAppend(context, append, declaring(huge));
    const chunks = patternChunks({ seed: 84, length: huge }, 64 * 1024);
    const taken = await connection.writeWhileTaken(chunks, { untilAnswered: true });
    expect(taken).toBeLessThan(takenMax);
    expect((await connection.answer()).status).toBe(412);
    expect(await api.offset(id)).toBe(0);
  });
});

describe("a body of ordinary size that will not be taken", () => {
  it("is refused so that the client can read why", async () => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const answer = await api.as({ token: "nobody" }).append({ id, offset: 0, bytes });
    expect(answer.status).toBe(401);
  });
});

describe("doubled headers", () => {
  const doubled: readonly (readonly [name: string, lines: (token: string) => Head])[] = [
    [
      "Authorization, the same twice",
      (token) => [
        ["Authorization", `OAuth ${token}`],
        ["Authorization", `OAuth ${token}`],
        ["file_offset", "0"],
      ],
    ],
    [
      "Authorization, two different",
      (token) => [
        ["Authorization", `OAuth ${token}`],
        ["authorization", "OAuth another-token"],
        ["file_offset", "0"],
      ],
    ],
    [
      "file_offset, the same twice",
      (token) => [
        ["Authorization", `OAuth ${token}`],
        ["file_offset", "0"],
        ["file_offset", "0"],
      ],
    ],
    [
      "file_offset, two different",
      (token) => [
        ["Authorization", `OAuth ${token}`],
        ["file_offset", "0"],
        ["File_Offset", "7"],
      ],
    ],
  ];

  it.for(doubled)("%s: refused in both envelopes", async ([, lines], context) => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const headers: Head = [...lines(api.token), ["Content-Length", "10"]];
    const path = api.pathOf(uploadPath(id));
    const address = target().rawAddress(context);
    const answer = await rawRequest(address, { method: "POST", path, headers }, "0123456789");
    expect(answer.status, answer.body.toString()).toBe(400);
    expect(envelopesOf(answer)).toMatchObject({
      error: { type: "OAuthException", code: 100 },
      debug_info: { type: "ParameterValidationError", retriable: false },
    });
    expect(await api.offset(id)).toBe(0);
  });

  const framing: readonly (readonly [name: string, lines: Head])[] = [
    [
      "Content-Length, two different",
      [
        ["Content-Length", "10"],
        ["Content-Length", "5"],
      ],
    ],
    [
      "Content-Length, the same twice",
      [
        ["Content-Length", "10"],
        ["Content-Length", "10"],
      ],
    ],
    [
      "Content-Length and Transfer-Encoding",
      [
        ["Content-Length", "10"],
        ["Transfer-Encoding", "chunked"],
      ],
    ],
    [
      "Host",
      [
        ["Host", "one.test"],
        ["Host", "two.test"],
        ["Content-Length", "10"],
      ],
    ],
  ];

  it.for(framing)("%s: refused, and no byte is kept", async ([, lines], context) => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const head = target().appendHead({ id, offset: 0 }, lines);
    const answer = await rawRequest(target().rawAddress(context), head, "0123456789");
    expect(answer.status).toBe(400);
    expect(await api.offset(id)).toBe(0);
  });
});
