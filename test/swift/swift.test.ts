import { afterAll, describe, expect, test } from "vitest";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { describeBlobStore } from "../contract/blob-store-contract.ts";
import { openedInBucket } from "../contract/opened-in-bucket.ts";
import { describeS3Appends } from "../contract/s3-appends-contract.ts";
import type { S3Profile } from "../../packages/server/src/blobs/s3/s3-profile.ts";
import { eventually } from "../support/eventually.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { SwiftGateway } from "../support/swift-gateway.ts";

const started = await SwiftGateway.start();
// Who asks for this by name wants to know what is missing, not that nothing was done.
if (typeof started === "string") throw new Error(started);
const gateway = started;
afterAll(() => gateway.stop());

const MiB = 1024 * 1024;

/** What Swift does otherwise than Ceph's gateway; docs/operating.md says what that means. */
const profile: S3Profile = {
  digest: "sha256",
  refusedDigests: ["sha256", "md5"],
  batchDelete: true,
  partCopy: true,
  partsMax: 1_000,
  md5Etags: true,
  conditionalPut: false,
  versioning: "off",
};

describeBlobStore("the S3 blob store on Swift", () => openedInBucket(gateway));
describeS3Appends("appends to the S3 blob store on Swift", { gateway, profile });

describe("a node on Swift", () => {
  test("tells what the store does, makes one object of a published file, and serves it", async () => {
    const place = new S3InTests(gateway);
    const blobs = gateway.location({ prefix: place.prefix, partMib: 5 });
    const server = await ServerProcess.start({
      environment: { ...gateway.environment, HAWSER_BLOBS: blobs },
      extraArguments: ["--redirect-downloads"],
    });
    try {
      const line = server.logLines.find((one) => one.includes("S3 store")) ?? "{}";
      console.log(line);
      expect(JSON.parse(line)).toMatchObject(profile);
      const { address: url, appId, token } = server;
      const api = new GraphApi({ url, appId, token });
      const bytes = patternBytes({ seed: 41, length: 12 * MiB + 1_000 });
      const path = `/v21.0/${await api.publish(await api.upload(bytes))}/content`;
      const location = await eventually(async () => (await api.get(path)).headers.location, {
        what: "one object to be made",
      });
      const answer = await fetch(location);
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    } finally {
      await server.remove();
      await place.dispose();
    }
  });
});
