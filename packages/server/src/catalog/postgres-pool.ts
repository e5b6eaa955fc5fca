import { PostgresDialect, type Compilable, type CompiledQuery } from "kysely";
import pg from "pg";
import type { Clock } from "../base/clock.ts";
import { asError, uploadError } from "../base/errors.ts";
import { CatalogFullError } from "./catalog.ts";
import { connectionOptions, statementMsMax } from "./postgres-connection.ts";
import { connectFailureOf, failureOf, type PostgresFailure } from "./postgres-failures.ts";

/** How long a statement is tried while the server cannot be reached. */
const patienceMs = 10_000;
const pauseMsMin = 25;
const pauseMsMax = 500;

export interface Answer<Row> {
  readonly rows: Row[];
  readonly changes: number;
  /** An earlier try may have had its effect: it was sent, and no answer came. */
  readonly repeated: boolean;
}

interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

type Attempt =
  | { readonly kind: "answered"; readonly result: pg.QueryResult<Record<string, unknown>> }
  | { readonly kind: PostgresFailure; readonly error: Error };

export interface PostgresPoolOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly clock: Clock;
}

/**
 * Connections for statements of one round trip each. A statement whose outcome is unknown is sent
 * again on a fresh connection: the caller sees to it that this does no harm. A server that is away
 * is waited for, until `storage_failed`.
 */
export class PostgresPool {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  #isPatient = true;

  constructor({ url, connectionsMax, clock }: PostgresPoolOptions) {
    this.#pool = new pg.Pool({ ...connectionOptions(url), max: connectionsMax });
    this.#clock = clock;
    // An idle connection that breaks is dropped from the pool; whoever comes next makes another.
    this.#pool.on("error", () => undefined);
    // One that breaks while it is in use says so to the statement, and once more to whoever hears.
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
  }

  /** With `repeated` the caller's own earlier try may have had its effect already. */
  async run<Row>(
    query: Compilable<Row> | CompiledQuery<Row> | Statement,
    repeated = false,
  ): Promise<Answer<Row>> {
    const statement = "compile" in query ? query.compile() : query;
    const giveUpAt = this.#clock.monotonic() + patienceMs;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      const leftMs = giveUpAt - this.#clock.monotonic();
      const attempt = await this.#attempt(statement, leftMs);
      if (attempt.kind === "answered") {
        // The caller says what rows its statement has.
        const rows = attempt.result.rows as Row[];
        return { rows, changes: attempt.result.rowCount ?? 0, repeated };
      }
      if (attempt.kind === "full" && !repeated) throw new CatalogFullError();
      if (attempt.kind === "refused") throw attempt.error;
      if (attempt.kind === "unknown") repeated = true;
      // Full after a try without an answer: that one may have changed something all the same.
      const isFull = attempt.kind === "full";
      if (isFull || !this.#isPatient || this.#clock.monotonic() + pauseMs >= giveUpAt) {
        throw uploadError("storage_failed", { offset: undefined }, { cause: attempt.error });
      }
      await this.#clock.sleep(pauseMs);
    }
  }

  /** Kysely's own queries run the same way. */
  dialect(): PostgresDialect {
    const client = {
      query: async (sql: unknown, parameters?: readonly unknown[]) => {
        const { rows, changes } = await this.run<unknown>({
          sql: String(sql),
          parameters: parameters ?? [],
        });
        // Reads alone come this way; they count nothing.
        return { command: "SELECT" as const, rowCount: changes, rows };
      },
      release: () => undefined,
    };
    return new PostgresDialect({
      pool: {
        // No cursors are used: the one overload that is there is the one that is called.
        connect: () => Promise.resolve(client as never),
        end: () => this.close(),
        options: {},
      },
    });
  }

  /** From now on no statement is tried again: whoever ends has no time to wait. */
  stopWaiting(): void {
    this.#isPatient = false;
  }

  async close(): Promise<void> {
    this.stopWaiting();
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #attempt(statement: Statement, leftMs: number): Promise<Attempt> {
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      return { kind: connectFailureOf(error), error: asError(error) };
    }
    try {
      const result = await client.query<Record<string, unknown>>({
        text: statement.sql,
        values: [...statement.parameters],
        // A connection that has died silently must not be waited for longer than the server is.
        query_timeout: Math.min(statementMsMax, Math.max(leftMs, pauseMsMax)) + pauseMsMax,
      } as pg.QueryConfig); // its types leave the timeout out
      client.release();
      return { kind: "answered", result };
    } catch (error) {
      const kind = failureOf(error);
      client.release(kind === "unknown");
      return { kind, error: asError(error) };
    }
  }
}
