import { afterAll, test } from "vitest";
import { CephGateway } from "../support/ceph-gateway.ts";
import { describeBlobStore } from "./blob-store-contract.ts";
import { openedInBucket } from "./opened-in-bucket.ts";

const gateway = await CephGateway.start();

if (typeof gateway === "string") {
  test("the S3 blob store", (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describeBlobStore("the S3 blob store", () => openedInBucket(gateway));
}
