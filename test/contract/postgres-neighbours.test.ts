import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { PostgresNeighbours } from "../../packages/server/src/catalog/postgres-neighbours.ts";
import { PostgresPool } from "../../packages/server/src/catalog/postgres-pool.ts";
import { eventually, within } from "../support/eventually.ts";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const title = "the end of a node whose listening connection is silently dead";
const databases = await PostgresDatabases.start();

function describeEnd(postgres: PostgresDatabases): void {
  const { server } = postgres;
  const clock = systemClock;
  let name: string;

  beforeEach(async () => {
    name = await postgres.create();
  });

  /** The listening connection goes through the proxy, all else straight to the server. */
  function neighboursVia({ address }: TcpProxy): {
    readonly neighbours: PostgresNeighbours;
    readonly pool: PostgresPool;
    readonly listening: Promise<undefined>;
  } {
    const pool = new PostgresPool({ url: server.url(name), connectionsMax: 2, clock });
    const looked = Promise.withResolvers<undefined>();
    const neighbours = new PostgresNeighbours({
      url: `postgres://postgres@127.0.0.1:${address.port}/${name}`,
      pool,
      clock,
      node: "one",
      channel: "words",
      onWord: () => undefined,
      look: () => {
        looked.resolve(undefined);
        return Promise.resolve();
      },
    });
    return { neighbours, pool, listening: looked.promise };
  }

  test("comes without a goodbye of the server", async () => {
    await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
    const { neighbours, pool, listening } = neighboursVia(proxy);
    await neighbours.start();
    await listening;
    proxy.stallAll();
    await within(neighbours.close(), { what: "the end" });
    await pool.close();
  });

  test("comes where even the answer to its listening never did", async () => {
    await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
    const first = neighboursVia(proxy);
    await first.neighbours.start();
    await first.listening;
    const bytes = proxy.connections[0]?.toClientBytes ?? 0;
    expect(bytes).toBeGreaterThan(0);
    await first.neighbours.close();
    await first.pool.close();
    const index = proxy.connections.length;
    // The last byte of that answer does not come.
    proxy.setPlan(() => ({ toClient: { afterBytes: bytes - 1, fault: "stall" } }));
    const { neighbours, pool } = neighboursVia(proxy);
    await neighbours.start();
    const stalled = () => (proxy.connections[index]?.happened === "stall" ? true : undefined);
    await eventually(stalled, { what: "the answer to stall" });
    await within(neighbours.close(), { what: "the end" });
    await pool.close();
  });
}

if (typeof databases === "string") {
  test(title, (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());
  describe(title, () => {
    describeEnd(databases);
  });
}
