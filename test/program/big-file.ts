import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { patternChunks } from "../support/seeded.ts";
import { binProgram, ServerProcess } from "../support/server-process.ts";
import { publishAndGet, sha256Of, uploadTheHardWay } from "./hard-upload.ts";

/*
 * `npm run try:big`: 2 GiB through a network that fails, with both processes killed on the way.
 * It fails when a byte differs or when either process was ever larger than it should be.
 * HAWSER_TEST_BIG_MIB sets the size, HAWSER_TEST_BIG_SEED repeats a run. Takes three times the
 * size in the temporary directory.
 */
const MiB = 1024 * 1024;
const length = wholeNumber("HAWSER_TEST_BIG_MIB", 2048) * MiB;
const seed = wholeNumber("HAWSER_TEST_BIG_SEED", Date.now() % 2 ** 31);

function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} is no count: ${text}`);
  return value;
}

const inMiB = (bytes: number) => Math.round(bytes / MiB);

/** Whatever the size of the file. */
const residentBytesMax = 200_000_000;

function tellPeak(who: string, bytes: number): boolean {
  const isSmall = bytes < residentBytesMax;
  const verdict = isSmall ? "below" : "NOT BELOW";
  const [peak, most] = [bytes, residentBytesMax].map((each) => (each / 1e6).toFixed(0));
  console.log(`peak resident: ${who} ${peak} MB, ${verdict} ${most} MB`);
  return isSmall;
}

async function tryBigFile(stateDirectory: string): Promise<boolean> {
  const path = join(stateDirectory, "big.mp4");
  await pipeline(Readable.from(patternChunks({ seed, length })), createWriteStream(path));
  // What people start, so that the figures are those of their processes.
  const program = binProgram;
  await using server = await ServerProcess.start({ program });
  const setting = { server, stateDirectory, program };
  const blows = { cuts: 20, clientKills: 2, serverKills: 2 };
  console.log(`${inMiB(length)} MiB, seed ${seed}`);
  const startedMs = performance.now();
  const report = await uploadTheHardWay({ ...setting, ...blows, path, length, seed });
  const seconds = (performance.now() - startedMs) / 1000;
  const { cuts, clientKills, serverKills, carriedBytes } = report;
  console.log(
    `uploaded in ${seconds.toFixed(1)} s, ${inMiB(carriedBytes - length)} MiB sent again`,
  );
  console.log(`cuts ${cuts}, client kills ${clientKills}, server kills ${serverKills}`);
  const serverIsSmall = tellPeak("server", report.serverPeakBytes);
  const clientIsSmall = tellPeak("client", report.clientPeakBytes);
  const got = await publishAndGet(report.handle, "got.mp4", setting);
  const [sent, received] = [await sha256Of(path), await sha256Of(got)];
  console.log(`SHA-256 sent ${sent}`);
  console.log(`SHA-256 got  ${received}  ${sent === received ? "equal" : "DIFFERENT"}`);
  return sent === received && serverIsSmall && clientIsSmall;
}

const directory = await mkdtemp(join(tmpdir(), "hawser-big-"));
try {
  process.exitCode = (await tryBigFile(directory)) ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
