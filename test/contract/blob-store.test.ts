import { mkdtemp, open, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { silentLog } from "../../packages/server/src/base/log.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { DiskBlobStore } from "../../packages/server/src/blobs/disk/disk-blob-store.ts";
import { NodeVolume } from "../../packages/server/src/blobs/disk/node-volume.ts";
import { describeBlobStore } from "./blob-store-contract.ts";
import { epochOf } from "./kept-blob.ts";

async function openInTemporaryDirectory() {
  const root = await mkdtemp(path.join(tmpdir(), "hawser-blobs-"));
  const directory = path.join(root, "blobs");
  const quarantineDirectory = path.join(root, "quarantine");
  const failures: Error[] = [];
  const openStore = async () =>
    new DiskBlobStore({
      log: silentLog,
      cleanFilesMax: 0,
      volume: await NodeVolume.open({
        directory,
        quarantineDirectory,
        syncsMax: 2,
        openFilesMax: 2,
      }),
      clock: systemClock,
      random: systemRandom,
      onVolumeFailure: (error) => failures.push(error),
    });
  const store = await openStore();
  let current = store;
  return {
    store,
    quarantineDirectory,
    reopen: async () => {
      await current.close();
      current = await openStore();
      return current;
    },
    keysOnVolume: async () => {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => `${path.basename(entry.parentPath)}/${entry.name}`);
    },
    setLength: async (key: string, length: number) => {
      const file = path.join(directory, key);
      const { size } = await stat(file);
      if (length <= size) {
        await truncate(file, length);
        return;
      }
      const handle = await open(file, "a");
      await handle.write(Buffer.alloc(length - size, 0xee));
      await handle.close();
    },
    lengthOf: async (key: string) => (await stat(path.join(directory, key))).size,
    dispose: async () => {
      await current.close();
      const left = (await readdir(root)).sort();
      await rm(root, { recursive: true });
      expect(failures).toEqual([]);
      expect(left).toEqual(["blobs", "quarantine"]);
    },
  };
}

describeBlobStore("the disk blob store", openInTemporaryDirectory);

test("a quarantined file lies whole in the quarantine directory", async () => {
  const opened = await openInTemporaryDirectory();
  const appender = await opened.store.openAppender({
    epoch: epochOf({ blobId: "b", offset: 0 }),
    extents: [],
    offset: 0,
  });
  await appender.write([Buffer.from("suspect")]);
  const { extents } = await appender.checkpoint("everything");
  await appender.close();
  for (const { key } of extents) await opened.store.quarantine(key);
  const names = await readdir(opened.quarantineDirectory);
  expect(names).toEqual(extents.map(({ key }) => path.basename(key)));
  for (const name of names) {
    const bytes = await readFile(path.join(opened.quarantineDirectory, name));
    expect(bytes.toString()).toBe("suspect");
  }
  await opened.dispose();
});
