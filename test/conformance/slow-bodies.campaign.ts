import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { headerValue, RawConnection, type RawRequestHead } from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { expectUploadError, tooSlow } from "./graph/expect-error.ts";
import { GraphAnswer, GraphApi } from "./graph/graph-api.ts";
import { IetfApi } from "./ietf/ietf-api.ts";
import { newest } from "./ietf/versions.ts";
import { offsetType, TusApi, version } from "./tus/tus-api.ts";
import { takingUntyped } from "./untyped.ts";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start(takingUntyped());
});

afterAll(() => server.remove());

const length = 100_000;
const bytes = patternBytes({ seed: 101, length });
const cameBytes = 40_000;
const rest = bytes.subarray(cameBytes);
const pieceBytes = 100;
// The server waits half a minute for a silent one; twice that is a hang.
const silentMs = 60_000;
// It measures over a minute, after a quarter of one: twice that is a hang.
const tricklingMs = 150_000;
const announced = { "Content-Length": `${length}`, "Upload-Offset": "0" };

function graphApi(): GraphApi {
  const { address: url, appId, token } = server;
  return new GraphApi({ url, appId, token });
}

/** The answer to an append of which less comes than was announced, on a line that stays open. */
async function answerToSilence(head: RawRequestHead) {
  using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
  await connection.sendHead(head);
  await connection.write(bytes.subarray(0, cameBytes));
  return await connection.answer({ timeoutMs: silentMs });
}

// All at once: each waits as long.
describe.concurrent("a body that falls silent", { timeout: silentMs }, () => {
  it("is 408 in Graph, keeps what had come, and the upload can be resumed", async () => {
    const api = graphApi();
    const id = await api.start({ file_length: length });
    const answer = await answerToSilence(api.appendHead(id, length));
    expect(answer.status, answer.body.toString()).toBe(408);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { type: "OAuthException", code: 2, is_transient: true },
      debug_info: { type: "PartialRequestError", retriable: true },
    });
    expect(await api.offset(id)).toBe(cameBytes);
    const done = await api.append({ id, offset: cameBytes, bytes: rest });
    expect(Object.keys(done.json)).toEqual(["h"]);
  });

  it("is 409 in tus with the offset of what had come, from which the upload goes on", async () => {
    const api = new TusApi({ url: new URL("/uploads", server.address), token: server.token });
    const url = await api.create({ "Upload-Length": `${length}` });
    const fields = { "Tus-Resumable": version, "Content-Type": offsetType, ...announced };
    const answer = await answerToSilence({
      method: "PATCH",
      path: url.pathname,
      headers: Object.entries({ ...api.authorization, ...fields }),
    });
    expect(answer.status, answer.body.toString()).toBe(409);
    expect(headerValue(answer, "upload-offset")).toBe(`${cameBytes}`);
    const done = await api.patch({ url, offset: cameBytes, bytes: rest });
    expect(done.status, done.seen).toBe(204);
    expect(await api.offsetOf(url)).toBe(length);
  });

  it("is 503 in the IETF's words with the offset of what had come, from which the upload goes on", async () => {
    const { address, token } = server;
    const api = new IetfApi({
      url: new URL("/uploads", address),
      token,
      version: newest,
      named: true,
    });
    const url = await api.begun({ length });
    const fields = { ...api.interop, ...api.patchType, ...api.flag(true), ...announced };
    const answer = await answerToSilence({
      method: "PATCH",
      path: new URL(url).pathname,
      headers: Object.entries({ ...api.authorization, ...fields }),
    });
    expect(answer.status, answer.body.toString()).toBe(503);
    expect(headerValue(answer, "upload-offset")).toBe(`${cameBytes}`);
    expect(headerValue(answer, "upload-complete")).toBe("?0");
    expect(headerValue(answer, "retry-after")).toMatch(/^\d+$/);
    const done = await api.append(url, cameBytes, { bytes: rest, complete: true });
    expect(done.status, done.shown).toBe(201);
  });
});

it.concurrent(
  "a body that trickles below the least rate is 408, though it is never silent",
  { timeout: tricklingMs },
  async () => {
    const api = graphApi();
    const id = await api.start({ file_length: length });
    using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
    await connection.sendHead(api.appendHead(id, length));
    const answered = connection.answer({ timeoutMs: tricklingMs });
    let sent = 0;
    while (connection.peerEnd === "open" && connection.received.length === 0) {
      expect(sent, "a trickle that nobody ends").toBeLessThan(length - pieceBytes);
      if (await connection.write(bytes.subarray(sent, sent + pieceBytes))) sent += pieceBytes;
      await sleep(500);
    }
    const { status, headers, body } = await answered;
    const named: Record<string, string> = {};
    for (const [name, value] of headers) named[name.toLowerCase()] = value;
    const answer = new GraphAnswer(status, named, body);
    const offset = await api.offset(id);
    const message = new RegExp(` ${offset} bytes are stored`);
    expectUploadError(answer, { ...tooSlow, message });
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThanOrEqual(sent);
    const rest = await api.append({ id, offset, bytes: bytes.subarray(offset) });
    const content = await api.content(await api.publish(rest.text("h")));
    expect(content.equals(bytes)).toBe(true);
  },
);
