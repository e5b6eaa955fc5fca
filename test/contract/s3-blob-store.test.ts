import { afterAll, test } from "vitest";
import { CephGateway } from "../support/ceph-gateway.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { describeBlobStore, type OpenedBlobStore } from "./blob-store-contract.ts";

const gateway = await CephGateway.start();

afterAll(async () => {
  if (typeof gateway !== "string") await gateway.stop();
});

async function openInBucket(): Promise<OpenedBlobStore> {
  if (typeof gateway === "string") throw new Error(gateway);
  const place = new S3InTests(gateway);
  let current = await place.openStore();
  return {
    store: current,
    reopen: async () => {
      await current.close();
      current = await place.openStore();
      return current;
    },
    keysOnVolume: () => place.keys(),
    setLength: async (key, length) => {
      const bytes = await place.bytesOf(key);
      const junk = Buffer.alloc(Math.max(0, length - bytes.length), 0xee);
      await place.replace(key, Buffer.concat([bytes.subarray(0, length), junk]));
    },
    lengthOf: (key) => place.lengthOf(key),
    dispose: async () => {
      await current.close();
      await place.dispose();
    },
  };
}

if (typeof gateway === "string") {
  test("the S3 blob store", (context) => {
    context.skip(gateway);
  });
} else {
  describeBlobStore("the S3 blob store", openInBucket);
}
