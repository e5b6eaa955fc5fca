import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { GraphApi, uploadPath } from "../conformance/graph/graph-api.ts";
import { type CommandResult, eventsFrom, jsonFrom, runHawser } from "../program/hawser-command.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import { PostgresServer } from "../support/postgres-server.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const MiB = 1024 * 1024;
const length = 3 * MiB;

interface Parts {
  readonly postgres: PostgresServer;
  readonly ceph: CephGateway;
  readonly database: string;
  /** Where the commands keep what they need. */
  readonly directory: string;
}

/** One catalog and one bucket, as nodes and commands are told of them. */
class Deployment {
  readonly #parts: Parts;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: Parts, stack: AsyncDisposableStack) {
    this.#parts = parts;
    this.#stack = stack;
  }

  /** Or the reason why there can be none here. */
  static async make(): Promise<Deployment | string> {
    await using stack = new AsyncDisposableStack();
    const postgres = await PostgresServer.start();
    if (typeof postgres === "string") return postgres;
    stack.use(postgres);
    const ceph = await CephGateway.start();
    if (typeof ceph === "string") return ceph;
    stack.defer(() => ceph.stop());
    const directory = await mkdtemp(join(tmpdir(), "hawser-restored-"));
    stack.defer(() => rm(directory, { recursive: true }));
    const database = await postgres.createDatabase();
    return new Deployment({ postgres, ceph, database, directory }, stack.move());
  }

  get #storage(): Readonly<Record<string, string>> {
    const { postgres, ceph, database } = this.#parts;
    return {
      ...ceph.environment,
      HAWSER_KEY: "the key of a restored deployment",
      HAWSER_CATALOG: postgres.url(database),
      HAWSER_BLOBS: ceph.location({ prefix: "restored" }),
    };
  }

  async startNode(): Promise<ServerProcess> {
    const options = { environment: this.#storage, extraArguments: ["--migrate"] };
    return this.#stack.use(await ServerProcess.start(options));
  }

  /** The command beside the nodes, on a data directory of its own. */
  async run(words: readonly string[]): Promise<CommandResult> {
    const { directory } = this.#parts;
    const environment = { ...this.#storage, HAWSER_DATA: join(directory, "data") };
    return await runHawser(words, { stateDirectory: directory, environment });
  }

  /** Nobody may be connected. */
  async backUp(): Promise<string> {
    const { postgres, database } = this.#parts;
    return await postgres.createDatabase(database);
  }

  async restore(backup: string): Promise<void> {
    const { postgres, database } = this.#parts;
    await postgres.dropDatabase(database);
    await postgres.query(`create database ${database} template ${backup}`);
  }

  async keys(): Promise<Set<string>> {
    const { ceph } = this.#parts;
    const list = new ListObjectsV2Command({ Bucket: ceph.bucket, Prefix: "restored/" });
    const { Contents = [] } = await ceph.client().send(list);
    return new Set(Contents.map(({ Key = "" }) => Key));
  }

  async removeKeys(keys: readonly string[]): Promise<void> {
    const { ceph } = this.#parts;
    for (const Key of keys) {
      await ceph.client().send(new DeleteObjectCommand({ Bucket: ceph.bucket, Key }));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function apiOf({ address: url, appId, token }: ServerProcess): GraphApi {
  return new GraphApi({ url, appId, token });
}

/** One MiB more of an upload whose bytes are the pattern of this seed. */
async function appendOne(api: GraphApi, id: string, seed: number): Promise<void> {
  const offset = await api.offset(id);
  const bytes = patternBytes({ seed, start: offset, length: MiB });
  const request = { id, offset, bytes };
  await api.append(request);
  expect(await api.offset(id)).toBe(offset + MiB);
}

/** What `hawser repair --json` said, which is not 0 where it met problems. */
function reportOf(result: CommandResult): Readonly<Record<string, unknown>> {
  const [report, ...more] = eventsFrom(result);
  if (report === undefined || more.length > 0) throw new Error(JSON.stringify(result));
  return report;
}

test("a catalog from a backup removes nothing, is repaired, and is let go on: by the page", async (context) => {
  const made = await Deployment.make();
  await using deployment = typeof made === "string" ? context.skip(made) : made;
  const sweep = async () => jsonFrom(await deployment.run(["sweep", "--json"]));

  const first = await deployment.startNode();
  const id = await apiOf(first).start({ file_length: length });
  await appendOne(apiOf(first), id, 1);
  const damaged = await apiOf(first).start({ file_length: length });
  const before = await deployment.keys();
  await appendOne(apiOf(first), damaged, 2);
  const lost = [...(await deployment.keys())].filter((key) => !before.has(key));
  await first.terminate();
  const backup = await deployment.backUp();

  const second = await deployment.startNode();
  await appendOne(apiOf(second), id, 1);
  expect(await sweep()).not.toHaveProperty("refusal");
  await second.terminate();
  await deployment.removeKeys(lost);
  await deployment.restore(backup);

  expect(jsonFrom(await deployment.run(["migrate", "--json"]))).toMatchObject({ applied: 0 });
  await first.restart();
  const api = apiOf(first);
  expect(await api.offset(id)).toBe(MiB);
  const refusal = expect.stringContaining("it was restored") as string;
  expect(await sweep()).toMatchObject({ refusal, removedOrphans: 0, removedKeys: 0 });

  const found = {
    removalHeld: refusal,
    adopted: [{ upload: expect.any(String) as string, from: MiB, to: 2 * MiB }],
    problems: [{ problem: expect.stringContaining("are missing") as string }],
    removalAllowed: false,
  };
  const told = await deployment.run(["repair", "--dry-run", "--json"]);
  expect(reportOf(told)).toMatchObject({ ...found, dryRun: true });
  expect(told.code).toBe(1);
  expect(await api.offset(id)).toBe(MiB);

  const held = await deployment.run(["repair", "--restored", "--go", "--json"]);
  expect(reportOf(held)).toMatchObject({ ...found, dryRun: false });
  expect(held.code).toBe(1);
  expect(held.stderr).toContain("Removal is not allowed yet");
  expect(await api.offset(id)).toBe(2 * MiB);
  expect(await sweep()).toMatchObject({ refusal });

  expect((await api.delete(uploadPath(damaged))).status).toBe(200);
  const gone = await deployment.run(["repair", "--go", "--json"]);
  expect(reportOf(gone)).toMatchObject({ adopted: [], problems: [], removalAllowed: true });
  expect(gone.code).toBe(0);
  expect(await sweep()).not.toHaveProperty("refusal");

  const rest = patternBytes({ seed: 1, start: 2 * MiB, length: MiB });
  const last = await api.append({ id, offset: 2 * MiB, bytes: rest });
  const content = await api.content(await api.publish(last.text("h")));
  expect(content).toHaveLength(length);
  expect(firstStrangeByte(content, { seed: 1 })).toBeUndefined();
}, 120_000);
