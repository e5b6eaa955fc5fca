import { PassThrough } from "node:stream";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { writeInterim } from "./interim-answer.ts";

/** A socket whose other end is a stream. */
function socketInto(written: PassThrough): Socket {
  return new (class extends Socket {
    override write(chunk: Uint8Array | string): boolean {
      return written.write(chunk);
    }
  })();
}

test("an interim answer stands on the wire with its words and its headers", () => {
  const written = new PassThrough();
  writeInterim(socketInto(written), 104, { "Upload-Offset": "5", Vary: "Origin" });
  expect(String(written.read())).toBe(
    "HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 5\r\nVary: Origin\r\n\r\n",
  );
});

test("a header that would begin another line is refused, and nothing is written", () => {
  const written = new PassThrough();
  const value = "http://a.example\r\nHTTP/1.1 200 OK";
  expect(() => {
    writeInterim(socketInto(written), 104, { Location: value });
  }).toThrow(/[Ii]nvalid character/);
  expect(written.read()).toBeNull();
});
