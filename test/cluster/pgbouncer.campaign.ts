import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PostgresCatalog } from "../../packages/server/src/catalog/postgres.ts";
import { migratePostgres } from "../../packages/server/src/catalog/postgres-migrate.ts";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { describeCatalog } from "../contract/catalog-contract.ts";
import { insertHeld, makeAdvance } from "../contract/catalog-samples.ts";
import { Cluster } from "../support/cluster.ts";
import { documentedBlock } from "../support/documented-block.ts";
import {
  Pgbouncer,
  pgbouncerMissing,
  type PgbouncerMode,
  pgbouncerModes,
} from "../support/pgbouncer.ts";
import { openPostgres, PostgresDatabases } from "../support/postgres-databases.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";

const databases = pgbouncerMissing ?? (await PostgresDatabases.start());

if (typeof databases === "string") {
  test("nodes behind PgBouncer", (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());
  for (const mode of pgbouncerModes) describeMode(databases, mode);
  describeUndocumented(databases);
  describe.for(pgbouncerModes)("in %s mode", (mode) => {
    describeNodes(mode);
  });
}

/** What the page has the pooler and the role given, but for the mode and the name of the role. */
async function documentedPooler(server: PostgresServer, mode: PgbouncerMode): Promise<Pgbouncer> {
  const settings = (await documentedBlock("ini")).replace(/^(\[pgbouncer\]|pool_mode = .*)$/gm, "");
  const statements = (await documentedBlock("sql")).replaceAll("role hawser", "role postgres");
  await server.query(statements);
  return await Pgbouncer.start(server, { mode, settings });
}

function describeMode(databases: PostgresDatabases, mode: PgbouncerMode): void {
  describe(`through PgBouncer in ${mode} mode`, () => {
    let pooler: Pgbouncer;

    beforeAll(async () => {
      pooler = await documentedPooler(databases.server, mode);
    });

    afterAll(() => pooler[Symbol.asyncDispose]());

    describeCatalog("the Postgres catalog", async () => {
      const name = await databases.create();
      const catalog = await openPostgres(pooler.url(name));
      let current = catalog;
      return {
        catalog,
        reopen: async () => {
          await current.close();
          current = await openPostgres(pooler.url(name));
          return current;
        },
        dispose: async () => {
          await current.close();
          await databases.server.dropDatabase(name);
        },
      };
    });

    async function openTwo(): Promise<[PostgresCatalog, PostgresCatalog]> {
      const url = pooler.url(await databases.create());
      return [await openPostgres(url), await openPostgres(url)];
    }

    test("a holder on another node learns that it is waited for, and lets go", async () => {
      const [one, other] = await openTwo();
      for (let round = 0; round < 5; round += 1) {
        const upload = await insertHeld(one);
        let asked = 0;
        one.onLeaseWanted((id) => {
          if (id !== upload.id || asked++ > 0) return;
          void one.advance(makeAdvance(upload)).then(() => one.releaseLease(upload.id, "first"));
        });
        const begun = performance.now();
        expect((await other.takeLease(upload.id, "second"))?.offset).toBe(100);
        console.log(`${mode} mode: taken over in ${Math.round(performance.now() - begun)} ms`);
        expect(await one.advance(makeAdvance(upload, { from: 100, to: 200 }))).toBe("stale");
      }
      await Promise.all([one.close(), other.close()]);
    });

    test("the role's limits bound what a connection may come to wait for", async () => {
      const limit = await pooler.query<{ statement_timeout: string }>("show statement_timeout");
      expect(limit).toEqual([{ statement_timeout: "8s" }]);
      await expect(pooler.query("select pg_sleep(30)")).rejects.toThrow("statement timeout");
    });

    test("Postgres may restart behind it", async () => {
      const [one, other] = await openTwo();
      const upload = await insertHeld(one);
      const restarting = databases.server.restart();
      expect(await one.advance(makeAdvance(upload))).toBe("done");
      await restarting;
      expect((await other.findUpload(upload.id))?.offset).toBe(100);
      await Promise.all([one.close(), other.close()]);
    });

    test("two that bring the schema up to date at once do not wait for each other for ever", async () => {
      const url = pooler.url(await databases.server.createDatabase());
      await Promise.all([migratePostgres(url), migratePostgres(url)]);
      expect(await migratePostgres(url)).toEqual([]);
    });
  });
}

function describeUndocumented({ server }: PostgresDatabases): void {
  test("a pooler that refuses the limits is named, at once", async () => {
    await using pooler = await Pgbouncer.start(server, { mode: "session", settings: "" });
    const name = await server.createDatabase();
    await expect(openPostgres(pooler.url(name))).rejects.toThrow("ignore_startup_parameters");
  });
}

function describeNodes(mode: PgbouncerMode): void {
  test(
    "two nodes go on with one upload, each append at the other",
    { timeout: 300_000 },
    async (context) => {
      await using stack = new AsyncDisposableStack();
      let catalog: Promise<string> | undefined;
      const cluster = await Cluster.start({
        nodes: 2,
        via: async (_, { postgres, ceph }) => {
          catalog ??= documentedPooler(postgres, mode).then(async (pooler) => {
            stack.use(pooler);
            return pooler.url(await postgres.createDatabase());
          });
          return { catalog: await catalog, blobs: ceph.location({ prefix: "cluster" }) };
        },
      });
      if (typeof cluster === "string") return context.skip(cluster);
      stack.use(cluster);
      const apis = cluster.nodes.map(({ address: url, appId, token }) => {
        return new GraphApi({ url, appId, token });
      });
      const [seed, length, piece] = [11, 12_000_000, 1_300_000];
      const [first] = apis;
      if (first === undefined) throw new Error("there is no node");
      const id = await first.start({ file_length: length });
      let handle: string | undefined;
      for (let offset = 0, turn = 0; offset < length; offset += piece, turn += 1) {
        const bytes = patternBytes({
          seed,
          start: offset,
          length: Math.min(piece, length - offset),
        });
        const answer = await apis[turn % apis.length]?.append({ id, offset, bytes });
        expect(answer?.status, answer?.body.toString()).toBe(200);
        if (answer?.json.h !== undefined) handle = answer.text("h");
      }
      if (handle === undefined) throw new Error("the last append brought no handle");
      const content = await first.content(await first.publish(handle));
      expect(content).toHaveLength(length);
      expect(firstStrangeByte(content, { seed })).toBeUndefined();
    },
  );
}
