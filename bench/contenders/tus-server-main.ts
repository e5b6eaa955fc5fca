import { createServer } from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import { listen } from "./listen.ts";

/* The peer as its own documentation starts it: its file store, its defaults, no sync. */
const directory = process.argv[2] ?? "";
const tus = new Server({ path: "/files", datastore: new FileStore({ directory }) });
listen(createServer((request, response) => void tus.handle(request, response)));
