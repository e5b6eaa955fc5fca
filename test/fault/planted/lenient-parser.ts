/* A planted fault: requests are read as Node reads them when it is told to be lenient. */
import http, { type ServerOptions } from "node:http";
import { syncBuiltinESMExports } from "node:module";

const { createServer } = http;

Object.assign(http, {
  createServer: (settings: ServerOptions) =>
    createServer({ ...settings, insecureHTTPParser: true }),
});
syncBuiltinESMExports();
