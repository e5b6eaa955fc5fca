import { createServer } from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

import { listen } from "../../../bench/contenders/listen.ts";

/* The other tus server for Node, with everything on that it has: DIRECTORY */
const [directory = ""] = process.argv.slice(2);
const tus = new Server({
  path: "/files",
  datastore: new FileStore({ directory, expirationPeriodInMilliseconds: 24 * 60 * 60 * 1000 }),
  maxSize: 1024 ** 3,
});
listen(createServer((request, response) => void tus.handle(request, response)));
// It refuses some bodies in a way that ends its process, which would make every later case fail.
process.on("uncaughtException", (error) => {
  process.stderr.write(`survived: ${error.message}\n`);
});
