import type { S3Gateway } from "../support/s3-gateway.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import type { OpenedBlobStore } from "./blob-store-contract.ts";

/** A store of its own in a gateway's bucket, as the contract asks for it. */
export async function openedInBucket(gateway: S3Gateway): Promise<OpenedBlobStore> {
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
