import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectUploadError, tooSlow } from "./expect-error.ts";
import { GraphAnswer } from "./graph-api.ts";
import { declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 100_000;
const bytes = patternBytes({ seed: 121, length });
const pieceBytes = 100;
// The server waits half a minute for a silent one; twice that is a hang.
const silentMs = 60_000;
// It measures over a minute, after a quarter of one: twice that is a hang.
const tricklingMs = 150_000;

describe("a body that falls silent", () => {
  it.concurrent(
    "is 408, keeps what had come, and the upload can be resumed",
    { timeout: silentMs },
    async (context) => {
      const { api } = target();
      const id = await api.start({ file_length: length });
      const append = { id, offset: 0 };
      using connection = await target().beginAppend(context, append, declaring(length));
      await connection.write(bytes.subarray(0, 40_000));
      const answer = await connection.answer({ timeoutMs: silentMs });
      expect(answer.status, answer.body.toString()).toBe(408);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { type: "OAuthException", code: 2, is_transient: true },
        debug_info: { type: "PartialRequestError", retriable: true },
      });
      expect(await api.offset(id)).toBe(40_000);
      const rest = await api.append({ id, offset: 40_000, bytes: bytes.subarray(40_000) });
      expect(Object.keys(rest.json)).toEqual(["h"]);
    },
  );
});

it.concurrent(
  "a body that trickles below the least rate is 408, though it is never silent",
  { timeout: tricklingMs },
  async (context) => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const append = { id, offset: 0 };
    using connection = await target().beginAppend(context, append, declaring(length));
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
