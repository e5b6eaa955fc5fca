import { createServer } from "node:net";
import { expect, test } from "vitest";

import { ProxyChild } from "./proxy-child.ts";

/** Serves at the port that its configuration is. */
const program = `
  const port = Number(require("node:fs").readFileSync(process.argv[1]));
  require("node:http").createServer((_, answer) => answer.end()).listen(port, "127.0.0.1");
`;

test("a proxy whose port was taken meanwhile is started again at another", async () => {
  await using other = createServer((socket) => socket.destroy());
  const ports: number[] = [];
  await using proxy = await ProxyChild.start({
    name: "late",
    program: process.execPath,
    commandLine: (file) => ["-e", program, file],
    configurationOf: ({ port }) => {
      if (ports.push(port) === 1) other.listen(port, "127.0.0.1");
      return String(port);
    },
  });
  expect(ports).toHaveLength(2);
  expect(proxy.url.port).toBe(String(ports[1]));
});

test("a proxy that ends each time is tried three times, and its last words are told", async () => {
  const ports: number[] = [];
  const starting = ProxyChild.start({
    name: "broken",
    program: process.execPath,
    commandLine: () => ["-e", "console.error('no such directive'); process.exit(1)"],
    configurationOf: ({ port }) => String(ports.push(port)),
  });
  await expect(starting).rejects.toThrow("no broken:\nno such directive");
  expect(ports).toHaveLength(3);
});
