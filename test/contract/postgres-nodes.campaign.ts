import { afterAll, describe, expect, test } from "vitest";
import { systemClock, type Clock } from "../../packages/server/src/base/clock.ts";
import { migratePostgres } from "../../packages/server/src/catalog/postgres-migrate.ts";
import type { PostgresCatalog } from "../../packages/server/src/catalog/postgres.ts";
import { findUpload } from "../../packages/server/src/engine/look-up.ts";
import { eventually } from "../support/eventually.ts";
import { engineOver } from "../support/memory-engine.ts";
import { PostgresDatabases, openPostgres } from "../support/postgres-databases.ts";
import { SeededRandom } from "../support/seeded.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import {
  completion,
  insertHeld,
  makeAdvance,
  makeEnd,
  makeExtent,
  makeFile,
  makeToken,
  makeUpload,
} from "./catalog-samples.ts";

const databases = await PostgresDatabases.start();

if (typeof databases === "string") {
  test("nodes that share a Postgres catalog", (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());
  describeTwoNodes(databases);
  describeStart(databases);
  describeWayToServer(databases);
}

/** So many times as impatient as a server would be; timers and the database's clock stay. */
function impatient(times: number): Clock {
  return { ...systemClock, monotonic: () => times * systemClock.monotonic() };
}

/** A node that gives no sign of life for 2 s is dead to the others, and beats twice a second. */
const freezeMsMin = 1_500;

/** Once more where this process stood still for so long that a node in it may have seemed dead. */
async function repeatedAfterFreeze(round: () => Promise<void>): Promise<void> {
  for (let time = 1; ; time += 1) {
    let tickedAt = performance.now();
    let longestMs = 0;
    const tick = (): void => {
      const now = performance.now();
      longestMs = Math.max(longestMs, now - tickedAt);
      tickedAt = now;
    };
    const ticker = setInterval(tick, 50);
    try {
      await round();
      return;
    } catch (error) {
      tick();
      if (longestMs < freezeMsMin || time === 5) throw error;
      console.log(`once more, after a freeze of ${Math.round(longestMs)} ms`);
    } finally {
      clearInterval(ticker);
    }
  }
}

function describeTwoNodes(databases: PostgresDatabases): void {
  describe("two nodes that share a catalog", () => {
    async function openTwo(): Promise<[PostgresCatalog, PostgresCatalog, string]> {
      const name = await databases.create();
      return [await databases.open(name), await databases.open(name), name];
    }

    /** As a node that was killed with every lease: its row stays and grows old. */
    async function holdDead(name: string): Promise<void> {
      const holder = `set fence = 'first', holder = 'dead'`;
      await databases.server.query(`update uploads ${holder}`, name);
      await databases.server.query(
        `insert into nodes values ('dead', extract(epoch from now()) * 1000 - 2500)`,
        name,
      );
    }

    test("a holder is asked, lets go, and what it committed shows in what is taken", async () => {
      const [one, other] = await openTwo();
      const upload = await insertHeld(one);
      const asked: string[] = [];
      one.onLeaseWanted((id) => {
        if (asked.push(id) > 1) return;
        void one.advance(makeAdvance(upload)).then(() => one.releaseLease(upload.id, "first"));
      });
      const taken = await other.takeLease(upload.id, "second");
      expect(taken?.offset).toBe(100);
      expect(asked[0]).toBe(upload.id);
      expect(await one.advance(makeAdvance(upload, { from: 100, to: 200 }))).toBe("stale");
      const next = makeAdvance(upload, { fence: "second", from: 100, to: 200, extents: [] });
      expect(await other.advance(next)).toBe("done");
      await Promise.all([one.close(), other.close()]);
    });

    test("what a living node writes shows to the others, and to itself as not elsewhere", async () => {
      const [one, other, name] = await openTwo();
      const [held, free, dead] = [await insertHeld(one), makeUpload(), await insertHeld(one)];
      await one.insertUpload(free);
      await databases.server.query(
        `update uploads set holder = 'dead' where id = '${dead.id}'`,
        name,
      );
      const ids = [held.id, free.id, dead.id, "nobody"];
      expect(await other.heldElsewhere(ids)).toEqual(new Set([held.id]));
      expect(await one.heldElsewhere(ids)).toEqual(new Set());
      await one.releaseLease(held.id, "first");
      expect(await other.heldElsewhere(ids)).toEqual(new Set());
      await Promise.all([one.close(), other.close()]);
    });

    test("a completion frees whoever waits", async () => {
      const [one, other] = await openTwo();
      const upload = await insertHeld(one, { length: 100 });
      one.onLeaseWanted(() => {
        void one.advance(makeAdvance(upload, { ending: { state: "complete", completion } }));
      });
      expect((await other.takeLease(upload.id, "second"))?.state).toBe("complete");
      await Promise.all([one.close(), other.close()]);
    });

    test("a holder that lives keeps its upload from others and from expiry", async () => {
      await repeatedAfterFreeze(async () => {
        const name = await databases.create();
        const one = await databases.open(name);
        // It gives up after 5 s: long enough for a holder that gives no sign of life to be dead.
        const other = await databases.open(name, impatient(3));
        const upload = await insertHeld(one);
        expect(await other.expireUploads(50_000, 10)).toEqual([]);
        await expect(other.takeLease(upload.id, "second")).rejects.toMatchObject({
          detail: { code: "upload_busy" },
        });
        expect(await one.advance(makeAdvance(upload))).toBe("done");
        await Promise.all([one.close(), other.close()]);
      });
    });

    test("an upload whose time is up is expired at no node while another that lives writes it", async () => {
      const [one, other, name] = await openTwo();
      const third = engineOver(other);
      const upload = await insertHeld(one);
      expect(upload.expiresAt).toBeLessThan(third.clock.now());
      const stateAtThird = async (): Promise<string> =>
        (await findUpload(third, upload.id, upload.appId)).state;
      expect(await stateAtThird()).toBe("open");
      expect(await one.advance(makeAdvance(upload))).toBe("done");
      await one.releaseLease(upload.id, "first");
      expect(await stateAtThird()).toBe("expired");
      await one.close();
      await holdDead(name);
      expect(await stateAtThird()).toBe("expired");
      await other.close();
    });

    test("an upload that no one has any more is not waited for", async () => {
      const [one, other] = await openTwo();
      expect(await other.takeLease("nobody", "second")).toBeUndefined();
      const upload = await insertHeld(one);
      await one.close();
      expect((await other.takeLease(upload.id, "second"))?.id).toBe(upload.id);
      await other.close();
    });

    test("the lease of a node that is dead is taken, and its uploads expire", async () => {
      const [one, other, name] = await openTwo();
      const [taken, expiring] = [await insertHeld(one), await insertHeld(one)];
      await one.close();
      await holdDead(name);
      expect((await other.takeLease(taken.id, "second"))?.id).toBe(taken.id);
      expect(await other.advance(makeAdvance(taken))).toBe("stale");
      expect(await other.expireUploads(50_000, 10)).toEqual([expiring.id]);
      await other.close();
    });

    test("a holder whose fence was taken by force is told, without listening", async () => {
      const [one, other, name] = await openTwo();
      const upload = await insertHeld(one);
      const told: string[] = [];
      one.onLeaseWanted((id) => told.push(id));
      await databases.server.query(`update uploads set fence = 'x', holder = 'else'`, name);
      await eventually(() => told[0], { what: "the holder to be told" });
      expect(told[0]).toBe(upload.id);
      await Promise.all([one.close(), other.close()]);
    });

    test("a lease that a row gives a node and the node does not know is let go", async () => {
      const [one, other, name] = await openTwo();
      const [known, lost] = [await insertHeld(one), makeUpload()];
      await one.insertUpload(lost);
      await databases.server.query(
        `update uploads set fence = 'lost', holder = (select holder from uploads
          where id = '${known.id}') where id = '${lost.id}'`,
        name,
      );
      expect((await other.takeLease(lost.id, "second"))?.id).toBe(lost.id);
      expect(await one.advance(makeAdvance(known))).toBe("done");
      await Promise.all([one.close(), other.close()]);
    });

    test("a listening connection that is silently dead makes it slower, not wrong", async () => {
      const name = await databases.create();
      const { port } = databases.server;
      const proxy = await TcpProxy.start({ host: "127.0.0.1", port });
      const url = `postgres://postgres@127.0.0.1:${proxy.address.port}/${name}`;
      const one = await openPostgres(url);
      const other = await databases.open(name);
      const upload = await insertHeld(one);
      one.onLeaseWanted((id) => {
        // It has its effect though no answer may come, which is all that counts here.
        one.releaseLease(id, "first").catch(() => undefined);
      });
      // Connections from now on stall at once towards the client; those there were are cut.
      let stalled = 0;
      proxy.setPlan(() => {
        stalled += 1;
        return stalled % 2 === 0 ? {} : { toClient: { afterBytes: 600, fault: "stall" } };
      });
      proxy.resetAll();
      expect((await other.takeLease(upload.id, "second"))?.id).toBe(upload.id);
      expect(stalled).toBeGreaterThan(0);
      await Promise.all([one.close(), other.close()]);
      await proxy.close();
    }, 60_000);
  });
}

function describeStart(databases: PostgresDatabases): void {
  describe("the start", () => {
    test("many that migrate at once leave one schema, which opens", async () => {
      const name = await databases.server.createDatabase();
      const url = databases.server.url(name);
      await expect(openPostgres(url)).rejects.toThrow('run "hawser migrate"');
      await Promise.all(Array.from({ length: 5 }, () => migratePostgres(url)));
      await migratePostgres(url);
      const catalog = await openPostgres(url);
      expect(await catalog.listApps()).toEqual([]);
      await catalog.close();
    });

    test("a schema of a later version is refused", async () => {
      const name = await databases.create();
      await databases.server.query(
        `insert into kysely_migration values ('9999-later', 'now')`,
        name,
      );
      await expect(databases.open(name)).rejects.toThrow("later version of Hawser (9999-later)");
    });

    test.for(["off", "local", "remote_write"])(
      "a server that commits with synchronous_commit = %s is refused",
      async (value) => {
        const name = await databases.create();
        await databases.server.query(`alter database ${name} set synchronous_commit = ${value}`);
        await expect(databases.open(name)).rejects.toThrow("synchronous_commit = on");
      },
    );

    test("a server that does not sync is refused", async () => {
      const settings = { fsync: "off", full_page_writes: "off" };
      const other = await PostgresDatabases.start({ settings });
      if (typeof other === "string") throw new Error(other);
      await using server = other.server;
      const name = await other.create();
      await expect(openPostgres(server.url(name))).rejects.toThrow(
        "set fsync = on and full_page_writes = on",
      );
    });

    test("the identity is the server's, whatever the catalog", async () => {
      const [one, other] = [await databases.create(), await databases.create()];
      const catalogs = [await databases.open(one), await databases.open(other)];
      const [first, second] = await Promise.all(catalogs.map((each) => each.identity()));
      expect(first).toMatch(/^\d+\/1$/);
      expect(second).toBe(first);
      await Promise.all(catalogs.map((each) => each.close()));
    });
  });
}

function describeWayToServer(databases: PostgresDatabases): void {
  describe("the way to the server", () => {
    /** A life of an upload whose every step must succeed, whatever happens on the way. */
    async function live(catalog: PostgresCatalog, rounds: number): Promise<void> {
      const upload = makeUpload({ length: 100 * rounds });
      await catalog.insertUpload(upload);
      await catalog.takeLease(upload.id, "first");
      for (let round = 0; round < rounds; round += 1) {
        const from = 100 * round;
        const at = 1_500 + round;
        const extents = [makeExtent({ start: from })];
        const isLast = round === rounds - 1;
        const ending = isLast ? ({ state: "complete", completion } as const) : undefined;
        const advance = makeAdvance(upload, { from, to: from + 100, at, extents, ending });
        expect(await catalog.advance(advance)).toBe("done");
      }
      const complete = await catalog.findUpload(upload.id);
      expect(complete).toMatchObject({ state: "complete", offset: 100 * rounds, completion });
      expect(await catalog.listExtents(upload.blobId)).toHaveLength(rounds);
      const file = makeFile(upload);
      expect(await catalog.insertFile(file)).toEqual(file);
      const token = makeToken();
      await catalog.insertToken(token);
      expect(await catalog.revokeToken(token.id, 9_000)).toBe(true);
      expect(await catalog.removeFile(file.id, 9_000)).toBe(true);
      const cancelled = await insertHeld(catalog);
      expect(await catalog.end(makeEnd(cancelled))).toBe("done");
    }

    test("a connection cut before, in or after any answer changes no outcome", async () => {
      const name = await databases.create();
      const { port } = databases.server;
      const proxy = await TcpProxy.start({ host: "127.0.0.1", port });
      const catalog = await openPostgres(
        `postgres://postgres@127.0.0.1:${proxy.address.port}/${name}`,
      );
      const random = new SeededRandom(20_261);
      proxy.setPlan(() => {
        const fault = random.pick(["close", "reset"] as const);
        const towardsServer = random.fraction() < 0.3;
        // Half of these bytes are spent on the start of a session.
        return towardsServer
          ? { toServer: { afterBytes: random.integer(100, 3_000), fault } }
          : { toClient: { afterBytes: random.integer(400, 1_500), fault } };
      });
      proxy.resetAll();
      for (let life = 0; life < 6; life += 1) await live(catalog, 5);
      const cut = proxy.connections.filter(({ happened }) => happened !== undefined).length;
      console.log(`seed ${random.seed}: ${cut} connections were cut`);
      expect(cut).toBeGreaterThan(20);
      proxy.setPlan(() => ({}));
      await catalog.close();
      await proxy.close();
    }, 120_000);

    test("a server that is killed or restarted in the middle is waited for", async () => {
      // Where the machine is busy a start takes longer than the 10 s that a verb waits.
      const catalog = await databases.open(await databases.create(), impatient(1 / 3));
      const over = new AbortController();
      let lives = 0;
      const living = (async () => {
        while (!over.signal.aborted) {
          await live(catalog, 10);
          lives += 1;
        }
      })();
      // What it fails of is told at the end, or by the life that does not come.
      living.catch(() => undefined);
      const wait = { what: "another life", timeoutMs: 60_000 };
      for (let time = 0; time < 4; time += 1) {
        const before = lives;
        await eventually(() => (lives > before ? true : undefined), wait);
        await (time % 2 === 0 ? databases.server.kill() : databases.server.stop());
        await databases.server.launch();
      }
      over.abort();
      await living;
      expect(lives).toBeGreaterThan(3);
      await catalog.close();
    }, 600_000);

    test("a server that stays away fails the verb and not the process, until it is back", async () => {
      const catalog = await databases.open(await databases.create(), impatient(5));
      const upload = await insertHeld(catalog);
      await databases.server.stop();
      const failed = { detail: { code: "storage_failed" } };
      await Promise.all([
        expect(catalog.advance(makeAdvance(upload))).rejects.toMatchObject(failed),
        expect(catalog.findUpload(upload.id)).rejects.toMatchObject(failed),
      ]);
      await databases.server.launch();
      expect(await catalog.advance(makeAdvance(upload))).toBe("done");
      await catalog.close();
    }, 60_000);
  });
}
