import { createServer } from "node:http";

/* The least that a server on Node can do with a body: read it, count it, keep nothing. */
const server = createServer((request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => response.end(`${bytes}`));
});
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") {
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
  }
});
process.once("SIGTERM", () => process.exit(0));
