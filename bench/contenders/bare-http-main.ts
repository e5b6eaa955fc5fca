import { createServer } from "node:http";
import { listen } from "./listen.ts";

/* The least that a server on Node can do with a body: read it, count it, keep nothing. */
const server = createServer((request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => response.end(`${bytes}`));
});
listen(server);
