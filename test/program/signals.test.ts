import { expect, it } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { ServerProcess } from "../support/server-process.ts";

it.for(["SIGTERM", "SIGINT"] as const)(
  "a second signal, %s, while a first one drains changes nothing",
  async (second, context) => {
    const server = await ServerProcess.start();
    context.onTestFinished(() => server.remove());
    const { url, appId, token, port, logLines } = server;
    const api = new GraphApi({ url: new URL(url), appId, token });
    const length = 1_000_000;
    const id = await api.start({ file_length: length });
    using connection = await RawConnection.open({ host: "127.0.0.1", port });
    await connection.sendHead(api.appendHead(id, length));
    await connection.write(Buffer.alloc(300_000));
    await eventually(async () => ((await api.offset(id)) > 0 ? true : undefined), {
      what: "the append to be under way",
    });
    for (const name of ["SIGTERM", second, second] as const) server.signal(name);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    expect((await connection.answer()).status).toBe(503);
    const before = logLines.length;
    await server.restart();
    expect(logLines.slice(before).join("\n")).not.toContain("unclean stop");
  },
);
