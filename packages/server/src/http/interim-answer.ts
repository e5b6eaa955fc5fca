import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { Socket } from "node:net";

/** What Node has no words for. */
const reasons: Readonly<Record<number, string>> = { 104: "Upload Resumption Supported" };

/**
 * Writes an interim answer (1xx). By hand: Node 22 can only write those that it knows, and the head
 * of the last answer must not have been written.
 */
export function writeInterim(
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  const reason = reasons[status] ?? STATUS_CODES[status] ?? "";
  const lines = Object.entries(headers).map(([name, value]) => {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return `${name}: ${value}\r\n`;
  });
  socket.write(`HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n`, "latin1");
}
