import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, type TestContext } from "vitest";

import { wholeNumber } from "../support/whole-number.ts";
import type { Answer } from "../support/dialect-answer.ts";
import { dialects } from "../support/dialect-wire.ts";
import { within } from "../support/eventually.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { type FailingCall, FailingCalls } from "./failing-calls.ts";
import { GraphPeer } from "./graph-peer.ts";
import { spoiltProgram } from "./planted/spoilt-program.ts";
import { OvercommittedVolume } from "./overcommitted-volume.ts";
import { type Range, TrackedUpload } from "./tracked-upload.ts";

/*
 * HAWSER_SYNC_FAILURES is how many of the first syncs of each kind fail, one a trial;
 * HAWSER_OVERCOMMIT_TRIALS the number of volumes that run out; HAWSER_SYNC_SEED repeats a run.
 */
const nthMax = wholeNumber("HAWSER_SYNC_FAILURES", 8);
const overcommitTrials = wholeNumber("HAWSER_OVERCOMMIT_TRIALS", 8);
const seed = wholeNumber("HAWSER_SYNC_SEED", Date.now() % 2 ** 31);
/** Servers that are made to end: most of a trial is waiting for one. */
const atOnce = 2;
const KiB = 1024;
const MiB = 1024 * KiB;
const harness = "a sync that fails";
const promise = "no 2xx for bytes whose sync failed, and what was told is kept";

const retryingProgram = spoiltProgram("retried-sync");

/** Calls of one thread are counted: there is one that syncs bytes. */
const oneSyncingThread = { UV_THREADPOOL_SIZE: "1" };

const bytes = { thread: "libuv-worker", call: "fdatasync" } as const;
const names = { thread: "libuv-worker", call: "fsync" } as const;
const catalog = { thread: "WorkerThread", call: "fsync" } as const;

/** Undefined also when the server went away under it: nothing was told then. */
async function appendOrLose(upload: TrackedUpload, range: Range): Promise<Answer | undefined> {
  try {
    return await upload.append(range);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ECONNREFUSED" || code === "ECONNRESET") return undefined;
    throw error;
  }
}

function makeUploads(peer: GraphPeer, random: SeededRandom, count: number) {
  const lengths = Array.from({ length: count }, () => random.integer(80 * KiB, 400 * KiB));
  return Promise.all(
    lengths.map((length) =>
      TrackedUpload.create(peer, patternBytes({ seed: random.word(), length }), () =>
        random.pick(dialects),
      ),
    ),
  );
}

interface Refused {
  /** Appends that were answered with 2xx before. */
  readonly taken: number;
  readonly answer: Answer | undefined;
}

/**
 * First a piece to each upload, then another: every append makes one sync of its bytes and one
 * commit, every first one a sync of the name. Answers the first that was not taken.
 */
async function appendUntilRefused(uploads: readonly TrackedUpload[]): Promise<Refused> {
  let taken = 0;
  for (const part of [0, 1]) {
    for (const upload of uploads) {
      const third = Math.floor(upload.length / 3);
      const range = { from: part * third, to: (part + 1) * third };
      const answer = await appendOrLose(upload, range);
      if (answer?.status !== 200) return { taken, answer };
      taken += 1;
    }
  }
  throw new Error(`all ${taken} appends were taken`);
}

/** Not a success, and nothing that blames the client. */
function expectRefusal(answer: Answer | undefined): void {
  if (answer !== undefined) expect(answer.status, JSON.stringify(answer)).toBeGreaterThan(499);
}

/** The server finds out that it can promise nothing any more, and ends to be started again. */
async function expectFailedExit(server: ServerProcess): Promise<void> {
  const end = await within(server.ended, {
    what: "the server to end after a failed sync",
    timeoutMs: 45_000,
  });
  expect(end.signal).toBeNull();
  expect(end.code).not.toBe(0);
}

/** Nobody is sent to it from the refusal on: it takes no connection, or says that it is not ready. */
async function expectNeverReady(server: ServerProcess): Promise<void> {
  while (server.running) {
    const status = await fetch(`${server.url}/readyz`).then(
      (answer) => answer.status,
      () => "no connection",
    );
    expect(status, "ready after a failed sync").not.toBe(200);
  }
}

/** Appends until one is refused, which is the first whose sync failed. */
async function expectRefusalOf(
  failing: FailingCall,
  calls: FailingCalls,
  uploads: Parameters<typeof appendUntilRefused>[0],
): Promise<void> {
  const { taken, answer } = await appendUntilRefused(uploads);
  expect(calls.happened, "an append was refused before a sync failed").toBe(true);
  expect(taken, "appends were taken whose sync failed").toBeLessThan(failing.nth);
  expectRefusal(answer);
}

/** One server whose n-th sync of a kind fails for good. */
async function failAndRestart(
  failing: FailingCall,
  random: SeededRandom,
  program: readonly string[] = sourceProgram,
): Promise<void> {
  await using server = await ServerProcess.start({ environment: oneSyncingThread, program });
  const peer = new GraphPeer(server);
  const uploads = await makeUploads(peer, random, failing.nth + 3);
  const calls = await FailingCalls.attach(server.pid, failing);
  try {
    await expectRefusalOf(failing, calls, uploads);
    await Promise.all([expectNeverReady(server), expectFailedExit(server)]);
  } finally {
    await calls.detach();
  }
  await server.restart();
  for (const upload of uploads) await upload.check();
  for (const upload of uploads) await upload.finish();
}

/** The n-th sync of a kind has no room; the server lives on, and so do the uploads. */
async function failAndGoOn(
  server: ServerProcess,
  failing: FailingCall,
  random: SeededRandom,
): Promise<void> {
  const uploads = await makeUploads(new GraphPeer(server), random, failing.nth + 2);
  const calls = await FailingCalls.attach(server.pid, failing);
  try {
    await expectRefusalOf(failing, calls, uploads);
  } finally {
    await calls.detach();
  }
  for (const upload of uploads) await upload.finish();
}

async function skipWithoutStrace(context: TestContext): Promise<void> {
  const reason = await FailingCalls.whyNot();
  if (reason !== undefined) context.skip(reason);
}

it.for([
  { what: "bytes", where: bytes, error: "EIO" },
  { what: "a name", where: names, error: "EIO" },
  { what: "the catalog", where: catalog, error: "EIO" },
  { what: "the catalog", where: catalog, error: "ENOSPC" },
] as const)(
  `$error from a sync of $what ends the server and loses nothing (seed ${seed}, the first ${nthMax})`,
  async ({ what, where, error }, context) => {
    await skipWithoutStrace(context);
    const left = Array.from({ length: nthMax }, (_, index) => index + 1).values();
    const work = async (): Promise<void> => {
      for (const nth of left) {
        await failAndRestart({ ...where, error, nth }, new SeededRandom(seed + nth));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const fault = `${harness} with ${error}, of ${what}`;
    await recordTrials({ promise, fault, n: nthMax, seed, met: "exit and restart each time" });
  },
);

it.for([
  { what: "bytes", where: bytes, error: "ENOSPC" },
  { what: "bytes", where: bytes, error: "EDQUOT" },
  { what: "a name", where: names, error: "ENOSPC" },
] as const)(
  `after $error from a sync of $what the upload goes on in another file (seed ${seed}, the first ${nthMax})`,
  async ({ what, where, error }, context) => {
    await skipWithoutStrace(context);
    await using server = await ServerProcess.start({ environment: oneSyncingThread });
    const { pid } = server;
    for (let nth = 1; nth <= nthMax; nth += 1) {
      await failAndGoOn(server, { ...where, error, nth }, new SeededRandom(seed + nth));
    }
    expect(server.pid, "the server was started again").toBe(pid);
    const fault = `${harness} with ${error}, of ${what}`;
    await recordTrials({ promise, fault, n: nthMax, seed, met: "the server lived on" });
  },
);

/** Seen by what the server does; the bytes themselves do reach the disk with the second call. */
it.for(["EIO", "ENOSPC", "EDQUOT"] as const)(
  "a sync retried after %s is noticed where the first call is not carried out",
  async (error, context) => {
    await skipWithoutStrace(context);
    const failing: FailingCall = { ...bytes, error, nth: 1 };
    const random = new SeededRandom(seed);
    const trial = async (): Promise<void> => {
      if (error === "EIO") {
        await failAndRestart(failing, random, retryingProgram);
        return;
      }
      const starting = { environment: oneSyncingThread, program: retryingProgram };
      await using server = await ServerProcess.start(starting);
      await failAndGoOn(server, failing, random);
    };
    const as = await trial().then(() => "nothing", String);
    expect(as).toMatch(/all \d+ appends were taken/);
    const planted = "a sync retried after an error";
    const fault = `${harness} with ${error}, of bytes`;
    await recordPlanted({ harness: fault, planted, noticedAfter: 1, as });
  },
);

it("a failed commit that counts as made is noticed", async (context) => {
  await skipWithoutStrace(context);
  const failing: FailingCall = { ...catalog, error: "EIO", nth: 1 };
  const program = spoiltProgram("swallowed-commit-error");
  const trial = failAndRestart(failing, new SeededRandom(seed), program);
  const as = await trial.then(() => "nothing", String);
  expect(as).toMatch(/appends were taken whose sync failed/);
  const planted = "a failed commit counts as made";
  const fault = `${harness} with EIO, of the catalog`;
  await recordPlanted({ harness: fault, planted, noticedAfter: 1, as });
});

interface RunOut {
  /** `lived`: it took other uploads on after the refusal, as ENOSPC allows. */
  readonly end: "exit" | "lived" | "complete";
  /** What was told when the volume had run out. */
  readonly acknowledged: number;
}

/** Appends until it is whole or refused; then the server ends, or it goes on serving others. */
async function appendUntilRunOut(
  server: ServerProcess,
  upload: TrackedUpload,
  pieceLength: number,
): Promise<RunOut["end"]> {
  const other = await TrackedUpload.create(
    new GraphPeer(server),
    patternBytes({ seed, length: 9 }),
  );
  for (let from = 0; from < upload.length; from += pieceLength) {
    const to = Math.min(upload.length, from + pieceLength);
    const answer = await appendOrLose(upload, { from, to });
    if (answer?.status === 200) continue;
    expectRefusal(answer);
    const served = await appendOrLose(other, { from: 0, to: other.length });
    if (served?.status === 200) return "lived";
    await expectFailedExit(server);
    return "exit";
  }
  return "complete";
}

/** One upload onto a volume that runs out under it, then room, then the rest of the upload. */
async function runOutOfBacking(
  volume: OvercommittedVolume,
  trial: number,
  program: readonly string[],
): Promise<RunOut> {
  const random = new SeededRandom(seed + trial);
  // One at least has acknowledged bytes when it runs out, whatever is drawn.
  const isFirst = trial === 0;
  const dataDirectory = join(volume.mountPoint, "data");
  await mkdir(dataDirectory);
  const server = await ServerProcess.start({ dataDirectory, program });
  try {
    const drawn = random.integer(64 * KiB, 24 * MiB);
    const room = isFirst ? Math.max(2 * MiB, drawn) : drawn;
    const length = room + random.integer(12 * MiB, 24 * MiB);
    const content = patternBytes({ seed: random.word(), length });
    const nextDialect = () => random.pick(dialects);
    const upload = await TrackedUpload.create(new GraphPeer(server), content, nextDialect);
    await volume.limitRoom(room);
    const pieceLength = isFirst ? MiB : random.pick([length, 5 * MiB, MiB]);
    const end = await appendUntilRunOut(server, upload, pieceLength);
    const { acknowledged } = upload;
    if (end === "lived") {
      await upload.check();
      // Half of them go on where they are, in another file: the retired one must not be used again.
      if (random.fraction() < 0.5) {
        await volume.makeRoom();
        await upload.finish();
      }
    }
    await server.kill9();
    await volume.unmount();
    await volume.makeRoom();
    await volume.mount();
    await server.restart();
    await upload.check();
    await upload.finish();
    return { end, acknowledged };
  } catch (error) {
    throw new Error(server.logLines.slice(-10).join("\n"), { cause: error });
  } finally {
    await server.kill9();
  }
}

async function overcommittedOrSkip(context: TestContext): Promise<OvercommittedVolume> {
  const volume = await OvercommittedVolume.make();
  if (typeof volume === "string") context.skip(volume);
  return volume;
}

const overcommitted = "a sync that really fails: an ext4 image without the room it promises";

it(`a sync that really fails loses no acknowledged byte (seed ${seed}, ${overcommitTrials} volumes)`, async (context) => {
  const ends: RunOut[] = [];
  for (let trial = 0; trial < overcommitTrials; trial += 1) {
    const volume = await overcommittedOrSkip(context);
    try {
      ends.push(await runOutOfBacking(volume, trial, sourceProgram));
    } finally {
      await volume.remove();
    }
  }
  const count = (wanted: RunOut["end"]) => ends.filter(({ end }) => end === wanted).length;
  expect(count("complete"), "more was told than there was room for").toBe(0);
  const middle = ends.filter(({ acknowledged }) => acknowledged > 0).length;
  expect(middle, "no failure met an upload in the middle").toBeGreaterThan(0);
  const met = `${count("exit")} ended the server, ${count("lived")} the append alone; ${middle} with acknowledged bytes`;
  await recordTrials({ promise, fault: overcommitted, n: ends.length, seed, met });
});

it("a sync retried after it really failed loses bytes, and that is noticed", async (context) => {
  for (let trial = 0; trial < overcommitTrials; trial += 1) {
    const volume = await overcommittedOrSkip(context);
    const running = runOutOfBacking(volume, trial, retryingProgram);
    const outcome = await running.catch((error: unknown) => error).finally(() => volume.remove());
    const cause = outcome instanceof Error ? String(outcome.cause) : "";
    if (!/not the one sent|cannot be read|byte is gone|is damaged/.test(cause)) continue;
    const planted = "a sync retried after an error";
    await recordPlanted({ harness: overcommitted, planted, noticedAfter: trial + 1, as: cause });
    return;
  }
  expect.unreachable(`nothing was noticed in ${overcommitTrials} trials`);
});
