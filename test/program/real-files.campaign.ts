import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

import { makeRealFile, realFileKinds } from "../support/real-files.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { publishAndGet, sha256Of, uploadPlainly, uploadTheHardWay } from "./hard-upload.ts";

const seed = 20_260;
const MiB = 1024 * 1024;
const large = { seed, length: 24 * MiB };

let server: ServerProcess;
let stateDirectory: string;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "hawser-files-"));
  const started = await ServerProcess.start();
  [server, stateDirectory] = [started, directory];
  return async () => {
    await started.remove();
    await rm(directory, { recursive: true, force: true });
  };
});

async function makeLargeFile(name: string): Promise<string> {
  const path = join(stateDirectory, name);
  await writeFile(path, patternBytes(large));
  return path;
}

describe("a file is the same after put, publish and get", () => {
  it.for(realFileKinds)("%s", async (kind, context) => {
    const file = await makeRealFile(kind, stateDirectory);
    if (file.state === "missing") {
      context.skip(file.reason);
      return;
    }
    const setting = { server, stateDirectory };
    const handle = await uploadPlainly(file.path, setting);
    const got = await publishAndGet(handle, `got-${file.name}`, setting);
    expect(await sha256Of(got)).toBe(await sha256Of(file.path));
  });

  it("24 MiB", async () => {
    const path = await makeLargeFile("large.mp4");
    const setting = { server, stateDirectory };
    const got = await publishAndGet(await uploadPlainly(path, setting), "got-large.mp4", setting);
    expect(await sha256Of(got)).toBe(await sha256Of(path));
  });

  it(`24 MiB with cuts and both processes killed (seed ${seed})`, async () => {
    const path = await makeLargeFile("hard.mp4");
    const setting = { server, stateDirectory };
    const blows = { cuts: 8, clientKills: 2, serverKills: 2 };
    const report = await uploadTheHardWay({ ...setting, ...large, ...blows, path });
    expect(report).toMatchObject(blows);
    const got = await publishAndGet(report.handle, "got-hard.mp4", setting);
    expect(await sha256Of(got)).toBe(await sha256Of(path));
    const repeated = (report.carriedBytes - large.length) / MiB;
    console.log(`the hard way: ${JSON.stringify(blows)}, ${repeated.toFixed(1)} MiB sent again`);
  });
});
