import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, chown, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { eventually, within } from "./eventually.ts";
import { fastDirectory } from "./fast-directory.ts";
import { freePort } from "./free-port.ts";
import { type Account, unprivilegedAccount } from "./unprivileged-account.ts";

const run = promisify(execFile);
const debianDirectory = "/usr/lib/postgresql";
const notInstalled = "Postgres is not installed here";

export interface PostgresServerOptions {
  /** Settings of the server, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A throw-away Postgres on loopback, with a directory of its own. Nothing of the system's own
 * cluster is used but the programs.
 */
export class PostgresServer {
  #port = 0;
  readonly #directory: string;
  readonly #programs: string;
  readonly #owner: Account | undefined;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(parts: {
    directory: string;
    programs: string;
    owner: Account | undefined;
    settings: Readonly<Record<string, string>>;
  }) {
    this.#directory = parts.directory;
    this.#programs = parts.programs;
    this.#owner = parts.owner;
    this.#settings = parts.settings;
  }

  /** The server, or the reason why there can be none here. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer | string> {
    const programs = await findPrograms();
    if (programs === undefined) return notInstalled;
    const owner = await unprivilegedAccount();
    const directory = await mkdtemp(path.join(await fastDirectory(), "hawser-postgres-"));
    if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
    const { settings = {} } = options;
    const server = new PostgresServer({ directory, programs, owner, settings });
    try {
      const initialise = ["-D", server.#data, "-A", "trust", "-U", "postgres", "-E", "UTF8"];
      await run(path.join(programs, "initdb"), [...initialise, "--no-locale", "--no-sync"], {
        ...owner,
        cwd: directory,
      });
      // Drawn late, since anybody may take it in the meantime.
      server.#port = await freePort();
      await server.launch();
      return server;
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  get port(): number {
    return this.#port;
  }

  get #data(): string {
    return path.join(this.#directory, "data");
  }

  url(database = "postgres"): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** Starts it after it was stopped or killed, with what it had; `more` settings are for this time. */
  async launch(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      shared_buffers: "16MB",
      max_connections: "100",
      ...this.#settings,
      ...more,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    await eventually(
      async () => {
        // What a killed server leaves in memory lingers until the last of its processes is gone.
        if (this.#process?.exitCode !== null) {
          const program = path.join(this.#programs, "postgres");
          this.#process = spawn(program, ["-D", this.#data, ...words], {
            ...this.#owner,
            cwd: this.#directory,
            stdio: "ignore",
          });
        }
        return (await this.#answers()) ? true : undefined;
      },
      { what: "Postgres to answer", timeoutMs: 60_000, intervalMs: 50 },
    );
  }

  /** A fresh, empty database; or a copy of another, which nobody may be connected to. */
  async createDatabase(template = "template0"): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query(`create database ${name} template ${template}`);
    return name;
  }

  async dropDatabase(name: string): Promise<void> {
    await this.query(`drop database ${name} with (force)`);
  }

  async query<Row extends pg.QueryResultRow>(text: string, database = "postgres"): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends it in order, cutting connections. */
  async stop(): Promise<void> {
    await this.#end("SIGINT");
  }

  /** Ends it as a crash of the machine would, but for what the kernel keeps. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.launch();
  }

  /** Ends it and starts it again as a backup that was laid down, or as a standby, of itself. */
  async recover(as: "backup" | "standby"): Promise<void> {
    await this.stop();
    const signal = as === "backup" ? "recovery.signal" : "standby.signal";
    const file = path.join(this.#data, signal);
    await writeFile(file, "");
    if (this.#owner !== undefined) await chown(file, this.#owner.uid, this.#owner.gid);
    // There is no archive: its own log is all that it finds.
    await this.launch({ restore_command: "false" });
  }

  async remove(): Promise<void> {
    await this.#end("SIGQUIT");
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  async #end(signal: "SIGINT" | "SIGKILL" | "SIGQUIT"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await within(exited, { what: "Postgres to end", timeoutMs: 60_000 });
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query("select 1");
      return true;
    } catch {
      await sleep(20);
      return false;
    }
  }
}

/** The reason why there can be no server here, if any. */
export async function postgresMissing(): Promise<string | undefined> {
  return (await findPrograms()) === undefined ? notInstalled : undefined;
}

/** The newest that Debian has here, or what the path leads to. */
async function findPrograms(): Promise<string | undefined> {
  const versions = await readdir(debianDirectory).catch(() => []);
  versions.sort((one, other) => Number(other) - Number(one));
  const onPath = (process.env.PATH ?? "").split(path.delimiter);
  const places = [...versions.map((name) => path.join(debianDirectory, name, "bin")), ...onPath];
  for (const place of places) {
    try {
      for (const name of ["initdb", "postgres"]) await access(path.join(place, name));
      return place;
    } catch {
      // Not there, or not all of it.
    }
  }
  return undefined;
}
