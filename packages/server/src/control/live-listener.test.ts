import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";

import { makeUpload } from "../../../../test/contract/catalog-samples.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { MemoryRows } from "../../../../test/support/memory-rows.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { Ring } from "../base/ring.ts";
import { LiveListener } from "./live-listener.ts";
import { LiveView } from "./live-view.ts";

it("a reader that takes nothing is held up to a bound, and then dropped", async () => {
  const clock = new ManualClock();
  const rows = new MemoryRows();
  const engine = engineOver(new MemoryCatalog(rows), { clock });
  const change = (offset: number): void => {
    for (const upload of rows.uploads.values()) rows.uploads.set(upload.id, { ...upload, offset });
  };
  for (let count = 0; count < limits.livePageSizeMax; count += 1) {
    await engine.catalog.insertUpload(makeUpload({ name: "x".repeat(250) }));
  }
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = connect(address.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  const listening = new LiveListener({
    engine,
    view: new LiveView({ engine, graphIdOf: ({ id }) => id }),
    samples: new Ring(1),
    errors: new Ring(1),
    node: "test",
    closing: () => false,
    log: silentLog,
    response,
    query: { appId: undefined, after: undefined, limit: limits.livePageSizeMax, stalled: false },
    authorise: () => Promise.resolve(),
    watching: () => 1,
  }).run();
  let most = 0;
  let silentSince: number | undefined;
  for (let offset = 1; !response.destroyed && offset < 1_000; offset += 1) {
    change(offset);
    clock.pass(limits.liveMsMin);
    // Several turns, in which the kernel takes what it has room for.
    for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    most = Math.max(most, response.writableLength);
    if (!response.writableNeedDrain) silentSince = undefined;
    else silentSince ??= clock.now();
  }
  expect(response.destroyed).toBe(true);
  clock.pass(limits.liveMsMin);
  await listening;
  // One page of long names is some 150 KiB: no second one waits behind it.
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(512 * 1024);
  expect(clock.now() - (silentSince ?? 0)).toBeGreaterThanOrEqual(limits.liveSilentMsMax);
  socket.destroy();
  server.close();
});
