/*
 * The page cache of a machine, inside the server process: what is written to a file is held in
 * memory and reaches the file when the file is synced. So a kill -9 loses what a power cut would,
 * and nothing else. Reads, lengths and cuts see the held bytes, as they would in a real cache.
 * The server promisifies these functions; the callback forms of writev and read stay as they are.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { callbackify, promisify } from "node:util";

interface HeldWrite {
  readonly position: number;
  readonly bytes: Buffer;
}

const read = promisify(fs.read);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);
const fdatasync = promisify(fs.fdatasync);

/** By file and not by descriptor: a real cache does not forget what a closed descriptor wrote. */
const held = new Map<string, HeldWrite[]>();

function fileOf(descriptor: number): string {
  const { dev, ino } = fs.fstatSync(descriptor);
  return `${dev}:${ino}`;
}

const heldOf = (descriptor: number): readonly HeldWrite[] => held.get(fileOf(descriptor)) ?? [];

const endOf = (writes: readonly HeldWrite[]): number =>
  writes.reduce((end, { position, bytes }) => Math.max(end, position + bytes.length), 0);

function holdWrite(descriptor: number, buffers: readonly Uint8Array[], position: number) {
  const file = fileOf(descriptor);
  // A copy: the caller may use its buffers again.
  const bytes = Buffer.concat(buffers);
  const writes = held.get(file) ?? [];
  writes.push({ position, bytes });
  held.set(file, writes);
  return Promise.resolve({ bytesWritten: bytes.length, buffers });
}

async function writeBack(descriptor: number): Promise<void> {
  const file = fileOf(descriptor);
  for (const { position, bytes } of held.get(file) ?? []) {
    for (let done = 0; done < bytes.length;) {
      done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done);
    }
  }
  held.delete(file);
  await fdatasync(descriptor);
}

type ReadParameters = readonly [
  descriptor: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
];

async function readThrough(...parameters: ReadParameters) {
  const [descriptor, into, offset, length, position] = parameters;
  const { bytesRead } = await read(descriptor, into, offset, length, position);
  const writes = heldOf(descriptor);
  const total = Math.max(bytesRead, Math.min(length, endOf(writes) - position));
  into.fill(0, offset + bytesRead, offset + total);
  for (const write of writes) {
    const from = Math.max(write.position, position);
    const to = Math.min(write.position + write.bytes.length, position + total);
    if (from >= to) continue;
    const piece = write.bytes.subarray(from - write.position, to - write.position);
    into.set(piece, offset + from - position);
  }
  return { bytesRead: total, buffer: into };
}

async function statThrough(descriptor: number): Promise<fs.Stats> {
  const stats = await fstat(descriptor);
  stats.size = Math.max(stats.size, endOf(heldOf(descriptor)));
  return stats;
}

async function truncateThrough(descriptor: number, length: number): Promise<void> {
  const kept = heldOf(descriptor)
    .filter(({ position }) => position < length)
    .map(({ position, bytes }) => ({ position, bytes: bytes.subarray(0, length - position) }));
  held.set(fileOf(descriptor), kept);
  // Never longer: that would put zeros where held bytes are still to come.
  if ((await fstat(descriptor)).size > length) await ftruncate(descriptor, length);
}

Object.assign(fs, {
  writev: Object.assign(fs.writev.bind(fs), { [promisify.custom]: holdWrite }),
  read: Object.assign(fs.read.bind(fs), { [promisify.custom]: readThrough }),
  fstat: callbackify(statThrough),
  ftruncate: callbackify(truncateThrough),
  fdatasync: callbackify(writeBack),
});
syncBuiltinESMExports();
