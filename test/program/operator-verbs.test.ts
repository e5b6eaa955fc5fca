import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, describe, expect, test } from "vitest";
import { exportTo, withLocalAdministration } from "../../packages/server/src/service/compose.ts";
import type { Administration } from "../../packages/server/src/service/administration.ts";
import { readStorageConfig } from "../../packages/server/src/service/config.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import { S3FaultProxy } from "../support/s3-fault-proxy.ts";
import { S3InTests } from "../support/s3-in-tests.ts";

const gateway = await CephGateway.start();

interface Deployment {
  readonly proxy: S3FaultProxy;
  readonly directory: string;
  readonly config: ReturnType<typeof readStorageConfig>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An operator's commands on a catalog here and a bucket behind a proxy that counts. */
async function openDeployment(ceph: CephGateway): Promise<Deployment> {
  const directory = await mkdtemp(path.join(tmpdir(), "hawser-operator-"));
  const place = new S3InTests(ceph);
  await place.client.send(new CreateBucketCommand({ Bucket: place.bucket }));
  const proxy = await S3FaultProxy.start(ceph.address);
  const blobs = ceph.location({ prefix: place.prefix, endpoint: proxy.endpoint });
  const data = path.join(directory, "data");
  return {
    ...{ proxy, directory },
    config: readStorageConfig({ flags: { data, blobs }, environment: {} }),
    [Symbol.asyncDispose]: async () => {
      await proxy.close();
      await place.dispose();
      await rm(directory, { recursive: true });
    },
  };
}

function describeVerbs(ceph: CephGateway): void {
  /** What the verbs changed in the bucket. */
  async function changed(
    { config, proxy }: Deployment,
    work: (administration: Administration) => Promise<unknown>,
  ): Promise<string[]> {
    const from = proxy.requests.length;
    await withLocalAdministration(config, work);
    return writesOf(proxy, from);
  }

  test("apps and tokens are made, listed and revoked while the bucket is away", async () => {
    await using deployment = await openDeployment(ceph);
    deployment.proxy.plan = () => "refuse";
    await changed(deployment, async (administration) => {
      await administration.createApp({ id: "1001", name: "An app" });
      const wanted = { appId: "1001", userId: "1", scopes: ["read"], label: "" } as const;
      const { token } = Object.assign({ token: "" }, await administration.createToken(wanted));
      expect(await administration.listApps()).toHaveLength(1);
      expect(await administration.revokeToken(token)).toBe(true);
      expect(await administration.listTokens()).toHaveLength(1);
    });
    expect(deployment.proxy.requests).toEqual([]);
  });

  test("what only reads bytes puts and removes none, not even to try the store", async () => {
    await using deployment = await openDeployment(ceph);
    const verified = await changed(deployment, (administration) => administration.verify());
    const swept = await changed(deployment, (administration) =>
      administration.sweep({ dryRun: true }),
    );
    const from = deployment.proxy.requests.length;
    await exportTo(deployment.config, path.join(deployment.directory, "export"));
    expect([...verified, ...swept, ...writesOf(deployment.proxy, from)]).toEqual([]);
    expect(deployment.proxy.requests.length).toBeGreaterThan(2);
  });

  test("a sweep tries the store before it removes anything", async () => {
    await using deployment = await openDeployment(ceph);
    const writes = await changed(deployment, (administration) =>
      administration.sweep({ dryRun: false }),
    );
    expect(writes).toContainEqual(expect.stringMatching(/^PUT .*\/self-test\//));
    expect(writes).toContainEqual(expect.stringMatching(/^PUT .*\/sweeps\.json/));
  });
}

function writesOf(proxy: S3FaultProxy, from: number): string[] {
  return proxy.requests
    .slice(from)
    .filter(({ method }) => method !== "GET" && method !== "HEAD")
    .map(({ method, path: target }) => `${method} ${target}`);
}

if (typeof gateway === "string") {
  test("an operator's verbs on a deployment with S3", (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describe("an operator's verbs on a deployment with S3", () => {
    describeVerbs(gateway);
  });
}
