import { createServer } from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

/* The peer as its own documentation starts it: its file store, its defaults, no sync. */
const directory = process.argv[2] ?? "";
const tus = new Server({ path: "/files", datastore: new FileStore({ directory }) });
const server = createServer((request, response) => void tus.handle(request, response));
// Node's default would end long uploads; it is what every user of the library has to set.
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") {
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
  }
});
process.once("SIGTERM", () => process.exit(0));
