import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { HawserCommand, runHawser, uploadFrom } from "../../test/program/hawser-command.ts";
import { Cluster } from "../../test/support/cluster.ts";
import { eventually } from "../../test/support/eventually.ts";
import { patternChunks } from "../../test/support/seeded.ts";

/*
 * Three nodes, Postgres, an S3 store and HAProxy on this machine: a file is uploaded through
 * HAProxy while one node after another is killed and started again. See README.md here.
 */
const MiB = 1024 * 1024;
const betweenKillsMs = 250;

const fileMib = Number(process.argv[2] ?? "256");
if (!Number.isInteger(fileMib) || fileMib < 1) {
  say("usage: node --conditions=source examples/cluster/run.ts [size of the file in MiB]");
  process.exit(2);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function environmentOf({ balancer, nodes }: Cluster): Record<string, string> {
  const [node] = nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  return {
    HAWSER_URL: balancer.url.origin,
    HAWSER_APP_ID: node.appId,
    HAWSER_TOKEN: node.token,
  };
}

/** One node after another, each killed and back before the next, while the upload is under way. */
async function killInTurn({ nodes }: Cluster, upload: HawserCommand): Promise<number> {
  let kills = 0;
  let isEnded = false;
  const ended = upload.result.then(() => (isEnded = true));
  const isBegun = (): boolean => isEnded || upload.printed.includes('"event":"uploading"');
  await eventually(() => isBegun() || undefined, { what: "the upload", timeoutMs: 60_000 });
  const isOver = (): Promise<boolean> => Promise.race([ended, sleep(betweenKillsMs, false)]);
  while (!(await isOver())) {
    const number = kills % nodes.length;
    const node = nodes[number];
    if (node === undefined) break;
    kills += 1;
    await node.kill9();
    say(`  node ${number + 1} killed with SIGKILL`);
    await sleep(betweenKillsMs);
    await node.restart({ samePort: true });
    say(`  node ${number + 1} is back`);
  }
  return kills;
}

interface Outcome {
  readonly same: boolean;
  readonly kills: number;
}

async function run(cluster: Cluster, directory: string): Promise<Outcome> {
  cluster.nodes.forEach((node, at) => {
    say(`node ${at + 1} listens at ${node.url}`);
  });
  say(`HAProxy listens at ${cluster.balancer.url.origin}`);
  const [sent, got] = [join(directory, "film.mp4"), join(directory, "back.mp4")];
  const bytes = patternChunks({ seed: 1, length: fileMib * MiB });
  await pipeline(Readable.from(bytes), createWriteStream(sent));
  const options = { stateDirectory: directory, environment: environmentOf(cluster) };

  say(`hawser put film.mp4 --publish: ${fileMib} MiB through HAProxy`);
  const upload = new HawserCommand(["put", sent, "--publish", "--json"], options);
  const kills = await killInTurn(cluster, upload);
  const result = await upload.result;
  const answer = uploadFrom(result);
  const [fileId, retries] = [String(answer.fileId), String(answer.retries)];
  say(`uploaded; kills of nodes: ${kills}, failures that the command overcame: ${retries}`);

  say(`hawser get ${fileId}`);
  const fetched = await runHawser(["get", fileId, "-o", got], options);
  if (fetched.code !== 0) throw new Error(`hawser get failed: ${fetched.stderr}`);
  const [before, after] = [await sha256Of(sent), await sha256Of(got)];
  say(`sent SHA-256 ${before}`);
  say(`got  SHA-256 ${after}`);
  return { same: before === after, kills };
}

const directory = await mkdtemp(join(tmpdir(), "hawser-example-"));
try {
  say("starting Postgres, Ceph's gateway, three nodes and HAProxy ...");
  const started = await Cluster.start();
  if (typeof started === "string") throw new Error(started);
  let outcome: Outcome;
  try {
    outcome = await run(started, directory);
  } finally {
    await started[Symbol.asyncDispose]();
    say("everything is stopped");
  }
  const { same, kills } = outcome;
  say(same ? "the file came back as it went" : "THE FILE CAME BACK CHANGED");
  if (kills === 0) say("but it was up before any node was killed: give it a larger size");
  process.exitCode = same && kills > 0 ? 0 : 1;
} catch (error) {
  say(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
