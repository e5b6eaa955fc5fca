import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

/** More than two sockets take in. */
const longLength = 32 * 1024 * 1024;

/** Begins a download and reads nothing of it: as long as it stays, a drain waits. */
async function openDownload(server: ServerProcess, fileId: string): Promise<Socket> {
  const socket = connect(server.port, "127.0.0.1");
  socket.pause();
  await once(socket, "connect");
  const path = `/v21.0/${fileId}/content`;
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${server.token}\r\n\r\n`);
  await once(socket, "readable");
  return socket;
}

it("further signals while a first one drains change nothing", async (context) => {
  const server = await ServerProcess.start();
  context.onTestFinished(() => server.remove());
  const { url, appId, token, logLines } = server;
  const api = new GraphApi({ url: new URL(url), appId, token });
  const handle = await api.upload(patternBytes({ seed: 20, length: longLength }));
  const asking = await RawConnection.open({ host: "127.0.0.1", port: server.port });
  await asking.write("GET /readyz HTTP/1.1\r\nHost: x\r\n");
  const download = await openDownload(server, await api.publish(handle));
  server.signal("SIGTERM");
  const isDeaf = async () => {
    const probe = connect(server.port, "127.0.0.1");
    const outcome = await Promise.race([once(probe, "connect"), once(probe, "error")]).catch(
      () => "refused",
    );
    probe.destroy();
    return outcome === "refused" ? true : undefined;
  };
  await eventually(isDeaf, { what: "the drain to have begun" });
  server.signal("SIGTERM");
  server.signal("SIGINT");
  await eventually(isDeaf, { what: "still nobody is let in" });
  expect(server.running).toBe(true);
  // Who had begun to ask is not sent here either.
  await asking.write("\r\n");
  expect((await asking.answer()).status).toBe(503);
  asking.close();
  download.destroy();
  expect(await server.terminate()).toEqual({ code: 0, signal: null });
  const before = logLines.length;
  await server.restart();
  expect(logLines.slice(before).join("\n")).not.toContain("unclean stop");
});
