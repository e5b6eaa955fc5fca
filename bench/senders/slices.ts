import { closeSync, openSync, readSync } from "node:fs";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";

/*
 * Sends a request whose body goes out in slices, one write each, as TLS records do, at most so many
 * bytes a second:
 *   slices.ts PORT FILE LENGTH SLICE_BYTES BYTES_A_SECOND METHOD PATH [NAME:VALUE …]
 * Ends with 0 when the answer's status is 2xx.
 */
const [
  port = "",
  file = "",
  length = "",
  slice = "",
  rate = "",
  method = "",
  path = "",
  ...headers
] = process.argv.slice(2);
const socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
const head = [
  `${method} ${path} HTTP/1.1`,
  "Host: 127.0.0.1",
  `Content-Length: ${length}`,
  "Connection: close",
  ...headers,
];

let answer = "";
socket.on("data", (chunk) => (answer += chunk.toString()));
const closed = new Promise((resolve) => socket.once("close", resolve));
const write = (bytes: string | Uint8Array): Promise<unknown> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error) reject(error);
      else resolve(undefined);
    });
  });

/** Timers are too coarse between two slices: turns of the event loop are not. */
const due = async (sent: number): Promise<void> => {
  while (performance.now() - begun < (sent * 1000) / Number(rate)) await setImmediate();
};

await write(`${head.join("\r\n")}\r\n\r\n`);
const descriptor = openSync(file, "r");
const buffer = Buffer.alloc(1024 ** 2);
const begun = performance.now();
for (let left = Number(length); left > 0;) {
  const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, left), null);
  for (let at = 0; at < count; at += Number(slice)) {
    await due(Number(length) - left + at);
    await write(buffer.subarray(at, Math.min(at + Number(slice), count)));
  }
  left -= count;
}
closeSync(descriptor);
await closed;
if (!answer.startsWith("HTTP/1.1 2")) {
  process.stderr.write(`${answer.slice(0, 500)}\n`);
  process.exitCode = 1;
}
