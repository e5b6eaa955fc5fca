import { PageServer } from "../../test/browser/support/page-server.ts";
import { ServerProcess } from "../../test/support/server-process.ts";

// A server with nothing in it and this example's page, until Ctrl-C. See README.md here.
await using server = await ServerProcess.start();
await using site = await PageServer.start({
  html: "examples/browser/index.html",
  program: "examples/browser/main.ts",
});
const given = new URLSearchParams({ url: server.url, app: server.appId, token: server.token });
process.stdout.write(`open ${site.url}/#${given.toString()}\n`);
await new Promise((resolve) => process.once("SIGINT", resolve));
