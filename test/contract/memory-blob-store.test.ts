import { MemoryBlobStore } from "../support/memory-blob-store.ts";
import { MemoryBucket } from "../support/memory-bucket.ts";
import { describeBlobStore } from "./blob-store-contract.ts";

describeBlobStore("the memory blob store", () => {
  const bucket = new MemoryBucket();
  const openStore = (): MemoryBlobStore =>
    new MemoryBlobStore({ bucket, partBytes: 8 * 1024 * 1024, mergeAt: 8 });
  return Promise.resolve({
    store: openStore(),
    reopen: () => Promise.resolve(openStore()),
    keysOnVolume: () => Promise.resolve(bucket.keys()),
    setLength: (key, length) => {
      const bytes = bucket.objects.get(key) ?? Buffer.alloc(0);
      const grown = Buffer.alloc(Math.max(0, length - bytes.length), 0xee);
      bucket.objects.set(key, Buffer.concat([bytes.subarray(0, length), grown]));
      return Promise.resolve();
    },
    lengthOf: (key) => Promise.resolve(bucket.objects.get(key)?.length ?? 0),
    dispose: () => Promise.resolve(),
  });
});
