import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { eventually, within } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { unprivilegedAccount } from "./unprivileged-account.ts";

const program = "/usr/sbin/pgbouncer";

/** Why there can be no PgBouncer here; undefined when there can. */
export const pgbouncerMissing = existsSync(program) ? undefined : "PgBouncer is not installed";

export const pgbouncerModes = ["session", "transaction"] as const;
export type PgbouncerMode = (typeof pgbouncerModes)[number];

export interface PgbouncerOptions {
  readonly mode: PgbouncerMode;
  /** Lines of its own section, beside what docs/operating.md asks for. */
  readonly settings: string;
}

/** A pooler before a Postgres, on loopback. */
export class Pgbouncer implements AsyncDisposable {
  readonly #port: number;
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.#port = port;
    this.#directory = directory;
    this.#child = child;
  }

  static async start(postgres: PostgresServer, options: PgbouncerOptions): Promise<Pgbouncer> {
    const account = await unprivilegedAccount();
    const directory = await mkdtemp(join(tmpdir(), "hawser-pgbouncer-"));
    if (account !== undefined) await chown(directory, account.uid, account.gid);
    const port = await freePort();
    const file = join(directory, "pgbouncer.ini");
    await writeFile(file, configurationOf(port, postgres, options), { mode: 0o644 });
    const child = spawn(program, [file], { ...account, cwd: directory, stdio: "ignore" });
    const pooler = new Pgbouncer(port, directory, child);
    try {
      await eventually(() => pooler.#answers(), { what: "PgBouncer to answer" });
      return pooler;
    } catch (error) {
      await pooler[Symbol.asyncDispose]();
      throw error;
    }
  }

  url(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/${database}`;
  }

  /** On a connection that has asked for nothing. */
  async query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url("postgres") });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await within(ended, { what: "PgBouncer to end" });
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<true | undefined> {
    if (this.#child.exitCode !== null) {
      throw new Error(`PgBouncer ended with ${this.#child.exitCode}`);
    }
    return await this.query("select 1").then(
      () => true,
      () => undefined,
    );
  }
}

function configurationOf(
  port: number,
  postgres: PostgresServer,
  { mode, settings }: PgbouncerOptions,
): string {
  return `[databases]
* = host=127.0.0.1 port=${postgres.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
server_idle_timeout = 5
${settings}
`;
}
