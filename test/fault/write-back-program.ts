/* Writes one file step by step and prints what it sees of it, and what a kill would leave. */
import fs from "node:fs";
import { promisify } from "node:util";

const open = promisify(fs.open);
const close = promisify(fs.close);
const writev = promisify(fs.writev);
const read = promisify(fs.read);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);
const fdatasync = promisify(fs.fdatasync);

const path = String(process.argv[2]);
const steps: Record<string, object> = {};
let descriptor = await open(path, "w+");

async function look(step: string): Promise<void> {
  const into = Buffer.alloc(64);
  const { bytesRead } = await read(descriptor, into, 0, into.length, 0);
  const seen = into.toString("latin1", 0, bytesRead);
  const { size: length } = await fstat(descriptor);
  // Not one of the functions that are replaced: this is the file itself.
  steps[step] = { seen, length, stored: fs.readFileSync(path, "latin1") };
}

await writev(descriptor, [Buffer.from("abc"), Buffer.from("def")], 0);
await look("written");
await close(descriptor);
descriptor = await open(path, "r+");
await look("closed");
await ftruncate(descriptor, 3);
await look("truncated");
await writev(descriptor, [Buffer.from("XY")], 3);
await fdatasync(descriptor);
await look("synced");
await writev(descriptor, [Buffer.from("ZZZZZ!")], 1);
await look("overwritten");
await ftruncate(descriptor, 2);
await look("shortened");
await close(descriptor);
process.stdout.write(JSON.stringify(steps));
