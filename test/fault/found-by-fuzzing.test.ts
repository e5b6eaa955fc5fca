import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { GraphApi, queryOf, uploadPath } from "../conformance/graph/graph-api.ts";
import { sendThenRead } from "../support/late-reader.ts";
import { RawConnection, type RawResponse } from "../support/raw-http.ts";
import { ServerProcess } from "../support/server-process.ts";
import { adminTokenOf } from "./hostile-setting.ts";

/* What the campaign of hostile input has found, each as the bytes that showed it. */

let server: ServerProcess;
let api: GraphApi;
let adminToken: string;

beforeAll(async () => {
  server = await ServerProcess.start();
  const { address: url, appId, token } = server;
  api = new GraphApi({ url, appId, token });
  adminToken = await adminTokenOf(server);
});

afterAll(async () => {
  await server.remove();
});

interface Exchange {
  readonly bytes: string;
  readonly answers?: number;
  /** Say that nothing more will come. */
  readonly finish?: boolean;
}

/** Sends bytes as they are and reads so many answers. */
async function exchange({ bytes, answers = 1, finish = false }: Exchange): Promise<RawResponse[]> {
  using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
  await connection.write(bytes);
  if (finish) connection.halfClose();
  const read: RawResponse[] = [];
  while (read.length < answers) read.push(await connection.answer());
  return read;
}

async function only(bytes: string, finish = false): Promise<RawResponse> {
  const [answer] = await exchange({ bytes, finish });
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

function jsonOf({ body }: RawResponse): unknown {
  return JSON.parse(body.toString());
}

function complaints(): string[] {
  return server.logLines.filter((line) => /"level":[56]0/.test(line));
}

describe("a JSON value that has no text", () => {
  const nested = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;

  it.for(['{"toString":1}', "[]", "true", "null", nested])(
    "as a token is an invalid token, not our failure: case %#",
    async (value) => {
      const answer = await api.request({
        method: "POST",
        path: `/v21.0/${api.appId}/uploads`,
        headers: { "Content-Type": "application/json" },
        body: `{"access_token":${value}}`,
      });
      expect(answer.status, answer.body.toString()).toBe(401);
      expect(answer.record("error").code).toBe(190);
      expect(complaints()).toEqual([]);
    },
  );

  it.for(['{"toString":1}', "1", "null", "[[]]"])(
    "as a template's handle is an invalid handle: %s",
    async (value) => {
      const answer = await api.authorized({
        method: "POST",
        path: "/v21.0/1122334455/message_templates",
        headers: { "Content-Type": "application/json" },
        body: `{"components":[{"example":{"header_handle":[${value}]}}]}`,
      });
      expect(answer.status, answer.body.toString()).toBe(400);
      expect(answer.record("error").error_subcode).toBe(2494102);
      expect(complaints()).toEqual([]);
    },
  );
});

describe("administration", () => {
  const head = () =>
    "POST /admin/v1/sweep HTTP/1.1\r\nHost: a\r\n" +
    `Authorization: Bearer ${adminToken}\r\nContent-Type: application/json\r\n`;

  it("takes a chunked body", async () => {
    const chunks = '8\r\n{"dryRun\r\n7\r\n":true}\r\n0\r\n\r\n';
    const answer = await only(`${head()}Transfer-Encoding: chunked\r\n\r\n${chunks}`);
    expect(answer.status, answer.body.toString()).toBe(200);
  });

  it("takes a body whatever host is named", async () => {
    const named = head().replace("Host: a", "Host: 127.0.p.1");
    const answer = await only(`${named}Content-Length: 15\r\n\r\n{"dryRun":true}`);
    expect(answer.status, answer.body.toString()).toBe(200);
  });

  it("refuses a chunked body that is too long", async () => {
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    const answer = await only(`${head()}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({ error: { code: "request_malformed" } });
  });

  it.for(['Content-Length: 20\r\n\r\n{"a', "Transfer-Encoding: chunked\r\n\r\nzz\r\n"])(
    "answers 400 when the body is cut or broken, and no error of ours is logged: %j",
    async (rest) => {
      const answer = await only(`${head()}${rest}`, true);
      expect(answer.status).toBe(400);
      expect(jsonOf(answer)).toHaveProperty("error.message");
      expect(complaints()).toEqual([]);
    },
  );

  it("broken behind another request leaves that one its answer", async () => {
    const query = queryOf({ file_name: "a", file_length: "9", file_type: "application/pdf" });
    const first =
      `POST /v21.0/${api.appId}/uploads?${query} HTTP/1.1\r\nHost: a\r\n` +
      `Authorization: OAuth ${api.token}\r\nContent-Length: 0\r\n\r\n`;
    const broken = `${head()}Transfer-Encoding: chunked\r\n\r\nzz\r\n`;
    const one = await only(first + broken);
    expect(one.status, one.body.toString()).toBe(200);
  });

  it("says why when the target or the host is none", async () => {
    for (const [target, host] of [
      ["*", "a"],
      ["/healthz", "a b"],
      ["http://h:99999/healthz", "a"],
    ] as const) {
      const answer = await only(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answer.status).toBe(400);
      expect(jsonOf(answer)).toHaveProperty("error.message");
    }
  });

  it("answers a health check of HTTP/1.0, which names no host", async () => {
    expect((await only("GET /healthz HTTP/1.0\r\n\r\n")).status).toBe(200);
  });
});

describe("the name of a published file", () => {
  const handle = async (): Promise<string> => api.upload(Buffer.from("%PDF-1"));
  const path = () => `/v21.0/${api.appId}/files`;

  it.for(["x".repeat(256), "a\u0000b", "a\r\nX: y", "../../etc/passwd", "\u202egpj.exe", "\ud800"])(
    "is held to the rules of file_name: case %#",
    async (name) => {
      const answer = await api.postJson(path(), { handle: await handle(), name });
      expect(answer.status, answer.body.toString()).toBe(400);
      expect(answer.record("error").message).toContain("name");
    },
  );

  it("that is empty is the upload's own", async () => {
    const answer = await api.postJson(path(), { handle: await handle(), name: "" });
    const file = await api.get(`/v21.0/${answer.text("id")}`);
    expect(file.text("name")).toBe("file.pdf");
  });

  it("comes from a title with what no name may hold replaced, and no title is endless", async () => {
    const videos = "/v21.0/1122334455/videos";
    const publish = async (title: string) =>
      api.postJson(videos, { fbuploader_video_file_chunk: await handle(), title });
    const file = await api.get(`/v21.0/${(await publish("Summer / 2026\n")).text("id")}`);
    expect(file.text("name")).toBe("Summer _ 2026_");
    expect((await publish("x".repeat(300_000))).status).toBe(400);
  });

  it("and its description are bounded, so that its head can be read", async () => {
    const description = "x".repeat(300_000);
    const answer = await api.postJson(path(), { handle: await handle(), description });
    expect(answer.status).toBe(400);
    const good = { handle: await handle(), name: "€".repeat(85), description: "y".repeat(8_192) };
    const id = (await api.postJson(path(), good)).text("id");
    expect((await api.content(id)).toString()).toBe("%PDF-1");
  });
});

describe("a request of HTTP/1.1 without a host", () => {
  it("is refused in Graph's words on its routes", async () => {
    const answer = await only(`GET /v21.0/${api.appId}/uploads HTTP/1.1\r\n\r\n`);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({ error: { type: "OAuthException", code: 100 } });
    const id = await api.start();
    const upload = await only(`GET ${uploadPath(id)} HTTP/1.1\r\n\r\n`);
    expect(upload.status).toBe(400);
    expect(jsonOf(upload)).toHaveProperty("debug_info.type", "ParameterValidationError");
  });

  it("is refused with a message elsewhere", async () => {
    const answer = await only("GET /healthz HTTP/1.1\r\n\r\n");
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toHaveProperty("error.message");
  });
});

describe("Expect", () => {
  it("of something unknown is ignored", async () => {
    const id = await api.start({ file_length: 3 });
    const head =
      `POST ${uploadPath(id)} HTTP/1.1\r\nHost: a\r\nAuthorization: OAuth ${api.token}\r\n` +
      "file_offset: 0\r\nExpect: tea\r\nContent-Length: 3\r\n\r\nabc";
    const answer = await only(head);
    expect(answer.status, answer.body.toString()).toBe(200);
  });

  it.for(["/admin/v1/sweep", "uploads"])(
    "pipelined behind another request never comes between an answer's head and its body: %s",
    async (route) => {
      // The first waits for a sync; the second is done, continued and answered long before.
      const query = queryOf({ file_name: "a", file_length: "9", file_type: "application/pdf" });
      const first =
        `POST /v21.0/${api.appId}/uploads?${query} HTTP/1.1\r\nHost: a\r\n` +
        `Authorization: OAuth ${api.token}\r\nContent-Length: 0\r\n\r\n`;
      const target = route === "uploads" ? `/v21.0/1234/uploads` : route;
      const token = route === "uploads" ? api.token : adminToken;
      const second =
        `POST ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: OAuth ${token}\r\n` +
        "Content-Type: application/json\r\n" +
        'Expect: 100-continue\r\nContent-Length: 15\r\n\r\n{"dryRun":true}';
      const [one, two] = await exchange({ bytes: first + second, answers: 2 });
      expect(one?.status, one?.body.toString()).toBe(200);
      expect(two?.status, two?.body.toString()).toBe(route === "uploads" ? 404 : 200);
      if (two !== undefined) expect(() => jsonOf(two)).not.toThrow();
    },
  );
});

describe("what follows a request that is complete", () => {
  it("does not cost it its answer, however much of it there is and however late one reads", async () => {
    const id = await api.start({ file_length: 300_000 });
    const head =
      `GET ${uploadPath(id)} HTTP/1.1\r\nHost: a\r\nAuthorization: OAuth ${api.token}\r\n` +
      "file_offset: 0\r\nContent-Type: application/json\r\n\r\n";
    const json = `{"title":"${"x".repeat(50_000)}"}`;
    const pieces = [head + json, ...Array.from({ length: 15 }, () => json)];
    const address = { host: "127.0.0.1", port: server.port };
    const read = await Promise.all(Array.from({ length: 24 }, () => sendThenRead(address, pieces)));
    for (const { received } of read) {
      expect(received.toString()).toMatch(
        /^HTTP\/1\.1 200 [^{]*\{"id":"upload:.*"file_offset":0\}$/s,
      );
    }
  });
});

test("a target that does not begin with a slash is none of the upload's routes", async () => {
  const answer = await only("POST *UPLOAD%3A HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.body.toString()).not.toContain("debug_info");
});

test("a head that is cut is a lost connection, not a refusal", async () => {
  using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
  await connection.write("POST /uploads HTTP/1.1\r\nHost: a\r\nUpload-Len");
  connection.halfClose();
  expect(await connection.readResponse()).toBeUndefined();
});
