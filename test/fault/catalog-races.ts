import { setTimeout as sleep } from "node:timers/promises";
import type { CompiledQuery } from "kysely";
import pg from "pg";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import {
  expireDueUploads,
  finishHeldAssembly,
  removePublishedFile,
} from "../../packages/server/src/catalog/postgres-changes.ts";
import { failureOf } from "../../packages/server/src/catalog/postgres-failures.ts";
import type { Extent, PublishedFile, Upload } from "../../packages/server/src/catalog/records.ts";
import {
  completion,
  makeAdvance,
  makeEnd,
  makeExtent,
  makeFile,
  makeUpload,
} from "../contract/catalog-samples.ts";
import type { PostgresDatabases } from "../support/postgres-databases.ts";
import type { SeededRandom } from "../support/seeded.ts";

/** A verb whose statement is run without comparing the version of the row it goes by. */
export type CarelessVerb = "expireUploads" | "removeFile" | "finishAssembly";

export interface Race {
  /** What is wrong with the rows afterwards. */
  readonly problems: string[];
  /** Who did what, and what came of it. */
  readonly story: string[];
}

/** Connections to the nodes' database that are no node's. */
interface Connections {
  /** Holds rows. */
  readonly gate: pg.Client;
  /** Sees who waits: within its own transaction the gate would be told the same again and again. */
  readonly watcher: pg.Client;
  /** Runs what is careless: at once, as nodes do, which are connected when a race begins. */
  readonly careless: pg.Client;
}

interface Runner {
  readonly name: string;
  readonly run: (catalog: Catalog) => Promise<unknown>;
}

interface Field {
  readonly upload: Upload;
  readonly runners: readonly Runner[];
  /** Keys that are the catalog's from now on, whatever becomes of them. */
  readonly keys: Set<string>;
}

/**
 * Two nodes that change one blob at the same time. In half of the races a third connection holds
 * the rows until everybody waits for them: each statement then goes on from a snapshot that the
 * one before it has outdated.
 */
export class CatalogRaces {
  readonly #nodes: readonly Catalog[];
  readonly #connections: Connections;
  readonly #careless: CarelessVerb | undefined;

  private constructor(
    nodes: readonly Catalog[],
    connections: Connections,
    careless: CarelessVerb | undefined,
  ) {
    this.#nodes = nodes;
    this.#connections = connections;
    this.#careless = careless;
  }

  static async open(
    databases: PostgresDatabases,
    careless: CarelessVerb | undefined,
  ): Promise<CatalogRaces> {
    const name = await databases.create();
    const nodes = [await databases.open(name), await databases.open(name)];
    const connect = async () => {
      const client = new pg.Client({ connectionString: databases.server.url(name) });
      client.on("error", () => undefined);
      await client.connect();
      return client;
    };
    const connections = {
      gate: await connect(),
      watcher: await connect(),
      careless: await connect(),
    };
    return new CatalogRaces(nodes, connections, careless);
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.close()));
    const { gate, watcher, careless } = this.#connections;
    await Promise.all([gate, watcher, careless].map((client) => client.end()));
  }

  async race(random: SeededRandom): Promise<Race> {
    const field =
      random.fraction() < 0.7 ? await this.#complete(random) : await this.#openUpload(random);
    const { upload, runners } = field;
    const { gate } = this.#connections;
    const isGated = random.fraction() < 0.5;
    if (isGated) {
      await gate.query("begin");
      await gate.query("select 1 from uploads where id = $1 for update", [upload.id]);
      await gate.query("select 1 from files where blob_id = $1 for update", [upload.blobId]);
    }
    let left = runners.length;
    const start = [...runners].sort(() => random.fraction() - 0.5);
    const running = start.map(async ({ name, run }) => {
      const node = this.#nodes[random.integer(0, this.#nodes.length - 1)];
      if (node === undefined) throw new Error("there are no nodes");
      await sleep(random.integer(0, 4));
      const outcome = await run(node);
      left -= 1;
      return `${name} ${String(outcome)}`;
    });
    if (isGated) {
      await this.#untilAllWait(() => left);
      await gate.query("commit");
    }
    const story = await Promise.all(running);
    return { problems: await this.#judge(field), story };
  }

  /** Resolves when all that are left wait for rows; or soon, as some never do. */
  async #untilAllWait(left: () => number): Promise<void> {
    const giveUpAt = performance.now() + 300;
    while (performance.now() < giveUpAt) {
      const { rows } = await this.#connections.watcher.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if ((rows[0]?.waiting ?? 0) >= left()) return;
      await sleep(2);
    }
  }

  /** A complete upload, perhaps published, that is being assembled. */
  async #complete(random: SeededRandom): Promise<Field> {
    const [node] = this.#nodes;
    if (node === undefined) throw new Error("there are no nodes");
    const upload = makeUpload({ length: 300 });
    const extents = [0, 100, 200].map((start) => makeExtent({ start }));
    const ending = { state: "complete", completion } as const;
    await node.insertUpload(upload);
    await node.takeLease(upload.id, "first");
    await node.advance(makeAdvance(upload, { to: 300, extents, ending }));
    const file = makeFile(upload);
    const isPublished = random.fraction() < 0.6;
    if (isPublished) await node.insertFile(file);
    if (isPublished && random.fraction() < 0.3) {
      // The file outlives its upload: it alone owns the blob.
      await node.expireUploads(50_000, 1_000);
      await node.removeEndedUploads(60_000);
    }
    const nonce = upload.id;
    await node.requestAssembly(upload.blobId, 1);
    while ((await node.claimAssembly({ now: 2, until: 3, nonce }))?.blobId !== upload.blobId);
    const keys = new Set(extents.map(({ key }) => key));
    const all = [
      this.#finish({ upload, extents, nonce, keys }),
      this.#expiry(),
      this.#removal(file),
      this.#publishing(file),
      this.#publishing(makeFile(upload)),
    ];
    const runners = all.filter(() => random.fraction() < 0.6);
    return { upload, runners: runners.length > 1 ? runners : all.slice(0, 3), keys };
  }

  /** An open upload whose holder goes on while others want it or end it. */
  async #openUpload(random: SeededRandom): Promise<Field> {
    const [node] = this.#nodes;
    if (node === undefined) throw new Error("there are no nodes");
    const upload = makeUpload({ length: 300 });
    const first = makeExtent();
    await node.insertUpload(upload);
    await node.takeLease(upload.id, "first");
    await node.advance(makeAdvance(upload, { extents: [first], expiresAt: 1_000 }));
    const keys = new Set([first.key]);
    const endings = [
      { state: "complete", completion } as const,
      { state: "rejected", reason: "so" } as const,
    ];
    const ending = endings[random.integer(0, endings.length)]; // or none of them
    const [second, merged] = [makeExtent({ start: 100, length: 200 }), makeExtent({ length: 300 })];
    const isMerge = random.fraction() < 0.5;
    const advance = makeAdvance(upload, {
      ...{ from: 100, to: 300, expiresAt: 1_000, ending },
      ...(isMerge ? { extents: [merged], replaced: [first] } : { extents: [second] }),
    });
    const runners: Runner[] = [
      {
        name: `advance ${ending?.state ?? "on"}`,
        run: async (catalog) => {
          const outcome = await catalog.advance(advance);
          if (outcome === "done") for (const { key } of advance.extents) keys.add(key);
          return outcome;
        },
      },
      { name: "end", run: (catalog) => catalog.end(makeEnd(upload, { state: "cancelled" })) },
      {
        name: "take",
        run: async () => (await node.takeLease(upload.id, "second")) !== undefined,
      },
      { name: "release", run: (catalog) => catalog.releaseLease(upload.id, "first") },
      this.#expiry(),
    ];
    return { upload, runners: runners.filter(() => random.fraction() < 0.8), keys };
  }

  #finish(parts: { upload: Upload; extents: Extent[]; nonce: string; keys: Set<string> }): Runner {
    const { upload, extents, nonce, keys } = parts;
    const assembled = makeExtent({ length: 300 });
    const finish = { blobId: upload.blobId, nonce, extents, assembled, at: 70_000 };
    return {
      name: "finish",
      run: async (catalog) => {
        const outcome =
          this.#careless === "finishAssembly"
            ? (await this.#runCarelessly<{ moved: number }>(finishHeldAssembly(finish)))[0]
                ?.moved === 1
              ? "done"
              : "stale"
            : await catalog.finishAssembly(finish);
        if (outcome === "done") keys.add(assembled.key);
        return outcome;
      },
    };
  }

  #expiry(): Runner {
    return {
      name: "expire",
      run: async (catalog) => {
        if (this.#careless !== "expireUploads") {
          return (await catalog.expireUploads(70_000, 1_000)).length > 0;
        }
        await this.#runCarelessly(expireDueUploads(70_000, 1_000));
        return true;
      },
    };
  }

  #removal(file: PublishedFile): Runner {
    return {
      name: "remove",
      run: async (catalog) => {
        if (this.#careless !== "removeFile") return await catalog.removeFile(file.id, 70_000);
        await this.#runCarelessly(removePublishedFile(file.id, 70_000));
        return true;
      },
    };
  }

  #publishing(file: PublishedFile): Runner {
    return {
      name: "publish",
      run: async (catalog) => (await catalog.insertFile(file)) !== undefined,
    };
  }

  /** The verb's own statement, but for the comparison of versions. */
  async #runCarelessly<Row extends pg.QueryResultRow>({
    sql,
    parameters,
  }: CompiledQuery): Promise<Row[]> {
    const careless = sql
      .replaceAll(/and (\w+\.)?xmin = \(select version from seen\)/g, "")
      .replaceAll(/and seen\.version = uploads\.xmin/g, "")
      .replaceAll(/and \w+\.xmin = seen_\w+\.version/g, "");
    if (careless === sql) throw new Error("nothing was planted");
    for (;;) {
      try {
        return (await this.#connections.careless.query<Row>(careless, [...parameters])).rows;
      } catch (error) {
        if (failureOf(error) !== "undone") throw error; // a deadlock, as the catalog would
      }
    }
  }

  async #judge({ upload, keys }: Field): Promise<string[]> {
    const read = async (sql: string, value: unknown): Promise<Record<string, unknown>[]> =>
      (await this.#connections.gate.query<Record<string, unknown>>(sql, [value])).rows;
    const problems: string[] = [];
    const shown = await read(
      "select * from extents where blob_id = $1 order by start",
      upload.blobId,
    );
    const doomed = await read("select key from doomed_keys where key = any($1)", [
      ...keys,
      ...shown.map(({ key }) => key),
    ]);
    const doomedKeys = new Set(doomed.map(({ key }) => key));
    const shownKeys = new Set(shown.map(({ key }) => key));
    for (const key of shownKeys) {
      if (doomedKeys.has(key)) problems.push("a key is both doomed and shown");
      if (!keys.has(String(key))) problems.push("a key is shown that no one committed");
    }
    for (const key of keys) {
      if (!doomedKeys.has(key) && !shownKeys.has(key)) problems.push("a key is lost");
    }
    const [owner] = await read(
      'select state, "offset" from uploads where blob_id = $1',
      upload.blobId,
    );
    const files = await read("select id from files where blob_id = $1", upload.blobId);
    const isOwned = files.length > 0 || ["open", "complete"].includes(String(owner?.state));
    if (!isOwned && shown.length > 0) problems.push("extents are left that nobody owns");
    const reach = shown.reduce<number>(
      (end, extent) => (Number(extent.start) === end ? end + Number(extent.length) : NaN),
      0,
    );
    if (isOwned && reach !== (owner === undefined ? 300 : Number(owner.offset))) {
      problems.push("the extents do not reach to the offset");
    }
    return problems;
  }
}
