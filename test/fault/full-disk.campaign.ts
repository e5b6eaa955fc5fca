import { expect, it } from "vitest";

import { toldOffset } from "../support/dialect-answer.ts";
import { asError } from "../../packages/server/src/base/errors.ts";
import { dialects } from "../support/dialect-wire.ts";
import { eventually } from "../support/eventually.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { fillCatalog } from "./full-catalog.ts";
import type { GraphPeer } from "./graph-peer.ts";
import { spoiltProgram } from "./planted/spoilt-program.ts";
import { type SmallVolume, volumeOrSkip } from "../support/small-volume.ts";
import { doneOrNoRoom, keepBytesElsewhere, type Place, withPlace } from "./small-place.ts";
import { TrackedUpload } from "./tracked-upload.ts";

/* HAWSER_FULL_DISK_SEED repeats a run. */
const seed = wholeNumber("HAWSER_FULL_DISK_SEED", Date.now() % 2 ** 31);
const fullDisk = "a full disk under the bytes";
const fullCatalog = "no free byte under the catalog alone";
const fullBoth = "no free byte under catalog and bytes";
const KiB = 1024;
const MiB = 1024 * KiB;

/** Free room when the bytes come: every doubling, and sizes on no boundary of anything. */
const freeRooms: readonly number[] = [
  ...[256, 512, 1024, 2048, 4096, 8192, 16384].map((size) => size * KiB),
  ...[300, 768, 1500, 3001, 5000, 7000, 12_345].map((size) => size * KiB),
  ...[MiB - 4096, MiB + 4096, 8 * MiB - 4096, 8 * MiB + 4096],
];

/** In one dialect after the other. */
function trackedUpload(
  peer: GraphPeer,
  content: Buffer,
  random: SeededRandom,
): Promise<TrackedUpload> {
  return TrackedUpload.create(peer, content, () => random.pick(dialects));
}

/** An upload small enough to live in the catalog, made while there was room. */
function smallUpload({ peer }: Place, random: SeededRandom): Promise<TrackedUpload> {
  return trackedUpload(peer, random.bytes(random.integer(1, 16 * KiB)), random);
}

/** A larger append than there is room for: 507 with the true offset, and nothing told is lost. */
async function refusedForRoom(upload: TrackedUpload, from: number): Promise<number> {
  const answer = await upload.append({ from, to: upload.length });
  expect(answer, "no answer").toBeDefined();
  expect(doneOrNoRoom(answer), JSON.stringify(answer)).toBe("no room");
  const { offset } = await upload.check();
  expect(answer === undefined ? undefined : toldOffset(answer)).toBe(offset);
  if (answer?.json.file_offset === undefined) {
    const message = expect.stringContaining(`${offset} bytes are stored`) as string;
    expect(answer?.json).toMatchObject({ error: { message }, debug_info: { message } });
  }
  return offset;
}

/** The server looks for room only now and then, less often where looking takes long. */
async function finishAll([first, ...others]: readonly TrackedUpload[]): Promise<void> {
  const finish = async (): Promise<true | undefined> => {
    try {
      await first?.finish();
      return true;
    } catch (error) {
      if (String(error).includes('"status":507')) return undefined;
      throw error;
    }
  };
  const what = "the server to see that there is room";
  await eventually(finish, { what, timeoutMs: 10 * 60_000 });
  for (const upload of others) await upload.finish();
}

/** One upload that is larger than the room; answers where it stood when it was refused. */
async function meetFullDisk(place: Place, free: number, random: SeededRandom): Promise<number> {
  const { peer, volume, server } = place;
  const { pid } = server;
  const early = await smallUpload(place, random);
  const late = await smallUpload(place, random);
  const cancelled = await smallUpload(place, random);
  await early.finish();
  const length = free + random.integer(1, 3 * MiB);
  const content = patternBytes({ seed: random.word(), length });
  const upload = await trackedUpload(peer, content, random);
  await volume.fillUntil(free);

  const offset = await refusedForRoom(upload, 0);
  expect(offset).toBeLessThanOrEqual(free);
  // Others are served: what is there is read, small ones are taken or refused, one is given up.
  await early.verify();
  doneOrNoRoom(await late.append({ from: 0, to: late.length }));
  await late.check();
  expect((await peer.cancel(cancelled.id)).status).toBe(200);
  await refusedForRoom(upload, offset);

  await volume.makeRoom();
  await finishAll([upload, late]);
  await early.verify();
  expect(server.pid, "the server was started again").toBe(pid);
  return offset;
}

it(`a full disk loses nothing and is got over, at ${freeRooms.length} sizes (seed ${seed})`, async (context) => {
  const offsets: number[] = [];
  for (const [index, free] of freeRooms.entries()) {
    const volume = await volumeOrSkip(64 * MiB, context);
    await withPlace(volume, async (place) => {
      offsets.push(await meetFullDisk(place, free, new SeededRandom(seed + index)));
    });
  }
  await recordTrials({
    promise: "507 with the true offset, and the upload ends once there is room",
    fault: fullDisk,
    n: offsets.length,
    seed,
    met: `free ${Math.min(...freeRooms)} to ${Math.max(...freeRooms)} bytes, ${offsets.filter((offset) => offset > 0).length} stopped in the middle`,
  });
});

interface CatalogCommits {
  readonly done: number;
  readonly refused: number;
}

/** Commits until one is refused, and a few beyond. What was told holds all the while. */
async function commitUntilRefused(
  uploads: readonly TrackedUpload[],
  peer: GraphPeer,
): Promise<CatalogCommits> {
  let [done, refused] = [0, 0];
  for (const upload of uploads) {
    const answers = [await upload.append({ from: 0, to: upload.length }), await peer.create(10)];
    for (const answer of answers) {
      if (doneOrNoRoom(answer) === "done") done += 1;
      else refused += 1;
    }
    await upload.check();
    if (refused > 20) break;
  }
  return { done, refused };
}

/** Commits on a disk without a free byte, before and after a kill; then room, and all end. */
async function meetFullCatalog(place: Place, random: SeededRandom): Promise<CatalogCommits> {
  const { peer, server, volume } = place;
  const { pid } = server;
  const first = await smallUpload(place, random);
  const last = await smallUpload(place, random);
  const rest: TrackedUpload[] = [];
  while (rest.length < 600) rest.push(await smallUpload(place, random));
  const given = await trackedUpload(peer, random.bytes(40 * KiB), random);
  await given.append({ from: 0, to: 20 * KiB });
  await volume.fillUntil(0);
  expect(await volume.freeBytes()).toBe(0);

  // What was set aside: an upload is given up although not one byte is free.
  expect((await peer.cancel(first.id)).status).toBe(200);
  const commits = await commitUntilRefused(rest, peer);
  for (const upload of rest) await upload.check();
  doneOrNoRoom(await peer.cancel(last.id));
  expect(server.pid, "the server was started again").toBe(pid);

  // The same volume, as full, under a server that has just started after a kill.
  await server.kill9();
  await server.restart();
  for (const upload of [given, ...rest]) await upload.check();
  doneOrNoRoom(await given.append({ from: given.acknowledged, to: given.length }));

  await volume.makeRoom();
  await finishAll([given, ...rest]);
  return commits;
}

it(`a catalog on a full disk commits or refuses, and loses nothing (seed ${seed})`, async (context) => {
  const volume = await volumeOrSkip(32 * MiB, context);
  await withPlace(volume, async (place) => {
    const commits = await meetFullCatalog(place, new SeededRandom(seed));
    await recordTrials({
      promise: "a commit is made or refused with 507, and what was told is kept",
      fault: fullBoth,
      n: commits.done + commits.refused,
      seed,
      met: `${commits.done} commits made in the room set aside, ${commits.refused} refused`,
    });
  });
});

it(`bytes elsewhere flow on while the catalog's disk is full (seed ${seed})`, async (context) => {
  const volume = await volumeOrSkip(16 * MiB, context);
  const random = new SeededRandom(seed);
  await keepBytesElsewhere(volume, context);
  await withPlace(volume, async ({ peer, server }) => {
    const { pid } = server;
    const uploads: TrackedUpload[] = [];
    for (let number = 0; number < 8; number += 1) {
      const content = random.bytes(random.integer(MiB, 12 * MiB));
      uploads.push(await trackedUpload(peer, content, random));
    }
    await volume.fillUntil(0);
    let done = 0;
    for (const upload of uploads) {
      const middle = random.integer(1, upload.length - 1);
      for (const range of [
        { from: 0, to: middle },
        { from: middle, to: upload.length },
      ]) {
        if (doneOrNoRoom(await upload.append(range)) === "done") done += 1;
        await upload.check();
      }
    }
    await volume.makeRoom();
    await finishAll(uploads);
    expect(server.pid, "the server was started again").toBe(pid);
    await recordTrials({
      promise: "a commit is made or refused with 507, and what was told is kept",
      fault: fullCatalog,
      n: uploads.length * 2,
      seed,
      met: `${done} appends taken`,
    });
  });
});

/** What a server with a fault planted in it is found to do wrong. */
async function noticedBy(
  fault: string,
  volume: SmallVolume,
  work: (place: Place) => Promise<void>,
): Promise<string> {
  const running = withPlace(volume, work, spoiltProgram(fault));
  const broken = await running.then(() => undefined, asError);
  if (broken === undefined) expect.unreachable("nothing was noticed");
  return asError(broken.cause).message;
}

const tellsWhatCame = "a 507 tells what came";

it("a 507 that tells what was received, and not what is kept, is noticed", async (context) => {
  const volume = await volumeOrSkip(24 * MiB, context);
  const as = await noticedBy("received-for-kept", volume, async (place) => {
    await meetFullDisk(place, 3001 * KiB, new SeededRandom(seed));
  });
  expect(as).toMatch(/an acknowledged byte is gone/);
  await recordPlanted({ harness: fullDisk, planted: tellsWhatCame, noticedAfter: 1, as });
});

it("a commit that was refused and counts as made is noticed", async (context) => {
  const volume = await volumeOrSkip(24 * MiB, context);
  await keepBytesElsewhere(volume, context);
  const as = await noticedBy("failed-commit-for-done", volume, async (place) => {
    await fillCatalog(place, new SeededRandom(seed));
  });
  expect(as).toMatch(/an acknowledged byte is gone/);
  const planted = "a refused commit counts as made";
  await recordPlanted({ harness: fullCatalog, planted, noticedAfter: 1, as });
});

/* Here an append may be refused for want of room before it comes to a commit. */
it("a 507 that tells what was received is noticed among commits, too", async (context) => {
  const volume = await volumeOrSkip(32 * MiB, context);
  const as = await noticedBy("received-for-kept", volume, async (place) => {
    await meetFullCatalog(place, new SeededRandom(seed));
  });
  expect(as).toMatch(/an acknowledged byte is gone/);
  await recordPlanted({ harness: fullBoth, planted: tellsWhatCame, noticedAfter: 1, as });
});
