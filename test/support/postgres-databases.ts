import { PostgresCatalog } from "../../packages/server/src/catalog/postgres.ts";
import { migratePostgres } from "../../packages/server/src/catalog/postgres-migrate.ts";
import { systemClock, type Clock } from "../../packages/server/src/base/clock.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { PostgresServer, type PostgresServerOptions } from "./postgres-server.ts";

/** One server with catalogs that are ready to be opened: each is a copy of a migrated one. */
export class PostgresDatabases {
  readonly server: PostgresServer;
  readonly #template: string;

  private constructor(server: PostgresServer, template: string) {
    this.server = server;
    this.#template = template;
  }

  /** Or the reason why there can be none here. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresDatabases | string> {
    const server = await PostgresServer.start(options);
    if (typeof server === "string") return server;
    const template = await server.createDatabase();
    await migratePostgres(server.url(template));
    return new PostgresDatabases(server, template);
  }

  /** A fresh catalog's name. */
  create(): Promise<string> {
    return this.server.createDatabase(this.#template);
  }

  /** Opens it as a node of its own. */
  open(name: string, clock?: Clock): Promise<PostgresCatalog> {
    return openPostgres(this.server.url(name), clock);
  }
}

export function openPostgres(url: string, clock: Clock = systemClock): Promise<PostgresCatalog> {
  return PostgresCatalog.open({ url, clock, random: systemRandom });
}
