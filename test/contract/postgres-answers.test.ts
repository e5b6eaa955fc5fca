import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CommitOutcome } from "../../packages/server/src/catalog/catalog.ts";
import type { Upload } from "../../packages/server/src/catalog/records.ts";
import type { PostgresCatalog } from "../../packages/server/src/catalog/postgres.ts";
import { asError } from "../../packages/server/src/base/errors.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { insertHeld, makeAdvance, makeEnd, makeUpload } from "./catalog-samples.ts";

/*
 * A commit waits for a standby that never comes. Who ends that wait takes the answer away, and the
 * commit is there, on this server alone.
 */

const title = "a commit whose answer is lost while it waits for its standby";
const databases = await PostgresDatabases.start();

/** The server does each update of an upload but the first as if its disk were full. */
const fullFromTheSecondOn = `
  create sequence updates;
  create function refuse() returns trigger language plpgsql as $$ begin
    if nextval('updates') > 1 then raise exception 'no space left' using errcode = '53100'; end if;
    return null;
  end $$;
  create trigger refuse before update on uploads execute function refuse();`;

function describeAnswers(postgres: PostgresDatabases): void {
  const { server } = postgres;
  let name: string;
  let catalog: PostgresCatalog;

  beforeEach(async () => {
    name = await postgres.create();
    catalog = await postgres.open(name);
  });

  afterEach(async () => {
    await findStandby();
    await catalog.close();
    await server.dropDatabase(name);
  });

  /** Processes of the server that wait for the standby, with what they were asked. */
  async function waiting(words = ""): Promise<number[] | undefined> {
    const rows = await server.query<{ pid: number; query: string }>(
      `select pid, query from pg_stat_activity where datname = '${name}' and wait_event = 'SyncRep'`,
    );
    const found = rows.filter(({ query }) => query.includes(words)).map(({ pid }) => pid);
    return found.length > 0 ? found : undefined;
  }

  async function loseStandby(): Promise<void> {
    await server.query("alter system set synchronous_standby_names = 'gone'");
    await server.query("select pg_reload_conf()");
    // The first is the sign of life that a node gives.
    await eventually(() => waiting(), { what: "a commit to wait for the standby" });
  }

  async function findStandby(): Promise<void> {
    await server.query("alter system reset synchronous_standby_names");
    await server.query("select pg_reload_conf()");
  }

  /** A change that is committed here, and of which no answer came. */
  async function unanswered<Outcome>(
    change: () => Promise<Outcome>,
  ): Promise<{ outcome: Promise<Outcome> }> {
    await loseStandby();
    const outcome = change();
    // Whoever asks for the outcome hears of it.
    outcome.catch(() => undefined);
    const what = { what: "the change to wait for the standby" };
    const [process] = await eventually(() => waiting("uploads"), what);
    await server.query(`select pg_terminate_backend(${process})`);
    return { outcome };
  }

  async function committedOffset(id: string): Promise<number | undefined> {
    return (await catalog.findUpload(id))?.offset;
  }

  test("is not said to have changed nothing where the server is full when it is sent again", async () => {
    const upload = await insertHeld(catalog);
    await server.query(fullFromTheSecondOn, name);
    const { outcome } = await unanswered(() => catalog.advance(makeAdvance(upload)));
    const error = await outcome.catch(asError);
    expect(await committedOffset(upload.id)).toBe(100);
    expect(error).toMatchObject({ code: "storage_failed" });
  });

  type Verb = (held: Upload) => Promise<unknown>;
  const verbs: readonly (readonly [string, Verb, CommitOutcome | boolean])[] = [
    ["an advance", (held) => catalog.advance(makeAdvance(held)), "done"],
    ["an ending", (held) => catalog.end(makeEnd(held)), "done"],
    ["a creation", () => catalog.insertUpload(makeUpload()), true],
  ];

  test.for(verbs)("is acknowledged only once the standby has it: %s", async ([, verb, done]) => {
    const upload = await insertHeld(catalog);
    const { outcome } = await unanswered(() => verb(upload));
    const first = await Promise.race([
      outcome.then(() => "an acknowledgement"),
      eventually(() => waiting("pg_logical_emit_message"), { what: "another wait" }),
    ]);
    expect(first).not.toBe("an acknowledgement");
    await findStandby();
    expect(await outcome).toBe(done);
  });
}

if (typeof databases === "string") {
  test(title, (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());
  describe(title, () => {
    describeAnswers(databases);
  });
}
