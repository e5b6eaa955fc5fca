import { afterAll, test } from "vitest";
import { CephGateway } from "../support/ceph-gateway.ts";
import { describeS3Appends } from "./s3-appends-contract.ts";

const gateway = await CephGateway.start();

if (typeof gateway === "string") {
  test("appends to the S3 blob store", (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describeS3Appends("appends to the S3 blob store", {
    gateway,
    profile: {
      digest: "sha256",
      refusedDigests: ["sha256", "md5"],
      batchDelete: true,
      partCopy: true,
      partsMax: 10_000,
      md5Etags: true,
      conditionalPut: true,
      versioning: "off",
    },
  });
}
