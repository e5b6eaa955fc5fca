import { TLSSocket } from "node:tls";
import { answerMsMax, answerOf, type Deployment } from "../deployment.ts";
import { openSocket } from "../line.ts";
import { finding, ok, type Probe } from "../probe.ts";

/** Whether a connection carries more than one request; each part would pay for a new one else. */
export const connections: Probe = {
  name: "connections",
  title: "connections are kept for the next request",
  look: async (deployment) => {
    const id = await deployment.anUpload();
    const line = await deployment.open();
    try {
      const head = { method: "GET", path: deployment.path(id), headers: deployment.authorization };
      await line.sendHead(head);
      const first = answerOf(await line.reply(answerMsMax), "first request");
      const speaks = `HTTP/${first.version}${await alsoHttp2(deployment)}`;
      if (first.headers.get("connection")?.toLowerCase() === "close") {
        return finding("connection-not-kept", `${speaks}; the first answer says Connection: close`);
      }
      await line.sendHead(head);
      const second = await line.reply(answerMsMax);
      if (second.kind === "answer") return ok(`${speaks}; two requests on one connection`);
      return finding("connection-not-kept", `${speaks}; the second request was ${second.kind}`);
    } finally {
      line.close();
    }
  },
};

async function alsoHttp2({ options }: Deployment): Promise<string> {
  if (options.url.protocol !== "https:") return "";
  const socket = await openSocket(options, ["h2", "http/1.1"]);
  const chosen = socket instanceof TLSSocket ? socket.alpnProtocol : false;
  socket.destroy();
  return chosen === "h2" ? " and HTTP/2" : ", no HTTP/2";
}
