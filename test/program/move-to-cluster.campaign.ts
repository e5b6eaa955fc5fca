import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import { documentedBlock } from "../support/documented-block.ts";
import { PostgresServer } from "../support/postgres-server.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";
import {
  environmentWithoutHawser,
  ServerProcess,
  sourceProgram,
} from "../support/server-process.ts";
import { jsonFrom, runHawser } from "./hawser-command.ts";

const length = 9_000_000;
const half = 4_500_000;

/** What the page shows stands for places of one's own. */
interface Places {
  readonly data: string;
  readonly archive: string;
  readonly newData: string;
  readonly catalog: string;
  readonly blobs: string;
}

/** The block of the page as an operator would run it, up to its last line or the first failure. */
async function documentedMove(places: Places, environment: NodeJS.ProcessEnv): Promise<string> {
  const block = await documentedBlock("sh", "From one machine to a cluster");
  const own = [
    ["/srv/hawser", places.data],
    ["/backup/hawser", places.archive],
    ["/var/lib/hawser", places.newData],
    ["postgres://hawser@db.example.com/hawser", places.catalog],
    ["s3://uploads/hawser?region=eu-central-1", places.blobs],
  ] as const;
  const script = own.reduce((text, [shown, ours]) => {
    expect(text).toContain(shown);
    return text.replaceAll(shown, () => ours);
  }, block);
  const command = [process.execPath, ...sourceProgram].map((word) => `'${word}'`).join(" ");
  const shell = `hawser() { ${command} "$@"; }\n${script}printf '%s' "$HAWSER_KEY"`;
  const { stdout } = await promisify(execFile)("sh", ["-euc", shell], { env: environment });
  return stdout.slice(stdout.lastIndexOf("\n") + 1);
}

async function handleOf(api: GraphApi, seed: number): Promise<string> {
  return await api.upload(patternBytes({ seed, length }));
}

async function expectBytes(api: GraphApi, fileId: string, seed: number): Promise<void> {
  const content = await api.content(fileId);
  expect(content).toHaveLength(length);
  expect(firstStrangeByte(content, { seed })).toBeUndefined();
}

test("one machine becomes a cluster by the page: files, handles, tokens and an open upload go on", async (context) => {
  await using stack = new AsyncDisposableStack();
  const postgres = await PostgresServer.start();
  if (typeof postgres === "string") return context.skip(postgres);
  stack.use(postgres);
  const ceph = await CephGateway.start();
  if (typeof ceph === "string") return context.skip(ceph);
  stack.defer(() => ceph.stop());
  const root = await mkdtemp(join(tmpdir(), "hawser-move-to-cluster-"));
  stack.defer(() => rm(root, { recursive: true }));

  const old = stack.use(await ServerProcess.start());
  const create = ["token", "create", "--json", "--app", old.appId, "--data", old.dataDirectory];
  const token = String(jsonFrom(await runHawser(create, { stateDirectory: root })).token);
  const before = new GraphApi({ url: old.address, appId: old.appId, token });
  const fileId = await before.publish(await handleOf(before, 1));
  const handle = await handleOf(before, 2);
  const open = await before.start({ file_length: length });
  const first = patternBytes({ seed: 3, length: half });
  expect((await before.append({ id: open, offset: 0, bytes: first })).status).toBe(200);
  await old.terminate();

  const places: Places = {
    data: old.dataDirectory,
    archive: join(root, "archive"),
    newData: join(root, "data"),
    catalog: postgres.url(await postgres.createDatabase()),
    blobs: ceph.location({ prefix: "moved" }),
  };
  const environment = { ...environmentWithoutHawser(), ...ceph.environment };
  const key = await documentedMove(places, environment);
  const options = { stateDirectory: root, environment: { HAWSER_KEY: key, ...ceph.environment } };
  const storage = ["--catalog", places.catalog, "--blobs", places.blobs];
  const migrate = ["migrate", "--json", "--catalog", places.catalog];
  // Once was enough for both.
  expect(jsonFrom(await runHawser(migrate, options))).toEqual({ applied: 0, migrations: [] });
  const again = ["import", "--json", "--data", places.newData, ...storage, places.archive];
  expect(jsonFrom(await runHawser(again, options))).toMatchObject({ uploads: 0, known: 3 });

  const node = stack.use(
    await ServerProcess.start({
      dataDirectory: places.newData,
      environment: options.environment,
      extraArguments: storage,
    }),
  );
  const after = new GraphApi({ url: node.address, appId: old.appId, token });
  await expectBytes(after, fileId, 1);
  await expectBytes(after, await after.publish(handle), 2);
  expect(await after.offset(open)).toBe(half);
  const rest = patternBytes({ seed: 3, start: half, length: length - half });
  const last = await after.append({ id: open, offset: half, bytes: rest });
  await expectBytes(after, await after.publish(last.text("h")), 3);
}, 120_000);
