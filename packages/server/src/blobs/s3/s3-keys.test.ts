import { expect, test } from "vitest";
import type { BlobEpoch } from "../blob-store.ts";
import { epochPrefix, extentKey, inPrefix, parseExtentKey } from "./s3-keys.ts";

const epoch: BlobEpoch = { fence: "0f1e", blobId: "b-1", base: 42, openedAt: 1_700_000_000_000 };
const extent = { start: 8_388_608, length: 17, crc32: 0x00c0ffee };
const space = { prefix: "some/where", deploymentId: "d" };

test("a key says all that its extent needs in a catalog", () => {
  const key = extentKey(space, epoch, extent);
  expect(key).toBe("some/where/d/b-1/42-1700000000000-0f1e/8388608-17-00c0ffee");
  expect(parseExtentKey("some/where", key)).toEqual({
    deploymentId: "d",
    epoch,
    extent: { ...extent, key, inline: undefined },
    isUnproven: false,
  });
});

test("a key says that its bytes were not proven when it was put", () => {
  const key = extentKey(space, epoch, { ...extent, isUnproven: true });
  expect(key).toBe("some/where/d/b-1/42-1700000000000-0f1e/8388608-17-00c0ffee-unproven");
  expect(key.startsWith(epochPrefix(space, epoch))).toBe(true);
  expect(parseExtentKey("some/where", key)).toEqual({
    deploymentId: "d",
    epoch,
    extent: { ...extent, key, inline: undefined },
    isUnproven: true,
  });
});

test("keys of an epoch begin with its prefix, also directly in a bucket", () => {
  for (const prefix of ["", "p"]) {
    const key = extentKey({ prefix, deploymentId: "d" }, epoch, extent);
    expect(key.startsWith(epochPrefix({ prefix, deploymentId: "d" }, epoch))).toBe(true);
    expect(parseExtentKey(prefix, key)?.epoch).toEqual(epoch);
    expect(inPrefix(prefix, "deployment.json").startsWith("/")).toBe(false);
  }
});

test("one epoch's prefix is no other's beginning", () => {
  const longer = { ...epoch, fence: "0f1e2" };
  expect(epochPrefix(space, longer).startsWith(epochPrefix(space, epoch))).toBe(false);
});

test.for([
  "d/b-1/42-1700000000000-0f1e/8388608-17-00c0ffee",
  "some/where/d/self-test/00/plain",
  "some/where/deployment.json",
  "some/where/d/b-1/042-1-f/0-1-00000000",
  "some/where/d/b-1/42-1-f/0-1-0000000",
  "some/where/d/b-1/42-1-f/0-1-00000000/x",
  "some/where/d/b-1/42-1-f/0-1-00000000-proven",
  "some/where/d/b-1/42-1-f/-1-1-00000000",
])("%s is no key of an extent", (key) => {
  expect(parseExtentKey("some/where", key)).toBeUndefined();
});
