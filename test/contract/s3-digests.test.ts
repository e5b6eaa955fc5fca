import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { CephGateway } from "../support/ceph-gateway.ts";
import { S3FaultProxy } from "../support/s3-fault-proxy.ts";
import { S3InTests } from "../support/s3-in-tests.ts";

const gateway = await CephGateway.start();
const title = "what the self-test takes a store's refusal of a digest for";

function describeDigests(ceph: CephGateway): void {
  let place: S3InTests;
  let proxy: S3FaultProxy;

  beforeEach(async () => {
    place = new S3InTests(ceph);
    proxy = await S3FaultProxy.start(ceph.address);
  });

  afterEach(async () => {
    await proxy.close();
    await place.dispose();
  });

  test.for(["bad-request", "unimplemented"] as const)(
    "a store that answers every CRC-32 with %s is used with another form",
    async (fault) => {
      proxy.plan = ({ headers }) => ("x-amz-checksum-crc32" in headers ? fault : undefined);
      const store = await place.openStore({ endpoint: proxy.endpoint });
      const found = { digest: "sha256", refusedDigests: ["sha256", "md5"] };
      expect(await store.selfTest()).toMatchObject(found);
      await store.writeObject("deployment.json", "{}");
      expect(await store.readObject("deployment.json")).toBe("{}");
      expect(await place.keys()).toHaveLength(1);
      await store.close();
    },
  );

  test("a store that does not know MD5s is used all the same", async () => {
    proxy.plan = ({ headers }) => ("content-md5" in headers ? "unimplemented" : undefined);
    const store = await place.openStore({ endpoint: proxy.endpoint });
    expect(await store.selfTest()).toMatchObject({ refusedDigests: ["sha256"] });
    await store.close();
  });
}

if (typeof gateway === "string") {
  test(title, (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describe(title, () => {
    describeDigests(gateway);
  });
}
