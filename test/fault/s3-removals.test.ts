import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { limits } from "../../packages/server/src/base/limits.ts";
import { sweep } from "../../packages/server/src/engine/sweep.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import type { S3Fault } from "../support/s3-fault-proxy.ts";
import { SeededRandom } from "../support/seeded.ts";
import { partBytes, partMib, sites, type SiteName } from "./s3-sites.ts";
import { S3Trial } from "./s3-trial.ts";

const gateway = await CephGateway.start();

/** Successes that say nothing of what was asked, as a proxy on the way may make them. */
const hollow: readonly S3Fault[] = ["false-success", "empty-success"];

function describeRemovals(ceph: CephGateway): void {
  let trial: S3Trial;

  beforeEach(async () => {
    const bytes = new SeededRandom(7).bytes(partBytes + 60_000);
    trial = await S3Trial.start(ceph, bytes, { partMib });
    for (const more of [20_000, 40_000, 60_000]) await trial.send(partBytes + more);
  });

  afterEach(async () => {
    await trial.close();
  });

  function answerWith(site: SiteName, fault: S3Fault): void {
    trial.proxy.plan = (request) => (sites[site].matches(request) ? fault : undefined);
  }

  function doomed(): Promise<string[]> {
    return trial.engine.catalog.listDoomed(trial.clock.now(), 100);
  }

  async function sweepOnce(): Promise<void> {
    await sweep(trial.engine, { dryRun: false }).catch(() => undefined);
  }

  /** The extents of before are doomed for long enough. */
  async function becomeOneObject(): Promise<readonly string[]> {
    await trial.publish();
    await trial.assemble();
    trial.clock.pass(limits.doomedMs);
    const keys = await doomed();
    expect(keys.length).toBeGreaterThan(2);
    return keys;
  }

  test("a removal is not believed that is answered by a success of something else", async () => {
    const keys = await becomeOneObject();
    for (const fault of hollow) {
      answerWith("DeleteObjects", fault);
      await sweepOnce();
      expect(await doomed(), fault).toEqual(keys);
    }
    trial.proxy.plan = () => undefined;
    trial.clock.pass(limits.doomedMs);
    await sweepOnce();
    expect(await doomed()).toEqual([]);
    await trial.checkBucket();
    expect(trial.problems).toEqual([]);
  });

  test("a key that the store keeps stays doomed, and the others go", async () => {
    const keys = await becomeOneObject();
    const [kept = ""] = keys;
    const { client, bucket } = trial.place;
    const denial = { Effect: "Deny", Principal: "*", Action: "s3:DeleteObject" };
    const statement = { ...denial, Resource: `arn:aws:s3:::${bucket}/${kept}` };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));
    try {
      await sweepOnce();
    } finally {
      await client.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    }
    const left = await trial.place.keys();
    expect(keys.filter((key) => left.includes(key))).toEqual([kept]);
    expect(await doomed()).toEqual([kept]);
    // It is tried again as if it were doomed now.
    await sweepOnce();
    expect(await doomed()).toEqual([kept]);
    trial.clock.pass(limits.doomedMs);
    await sweepOnce();
    expect(await doomed()).toEqual([]);
    await trial.checkBucket();
    expect(trial.problems).toEqual([]);
  });

  test("no look at an epoch is counted whose listing was a success of something else", async () => {
    const { catalog } = trial.engine;
    const { blobId } = trial.upload;
    // It closes the epochs.
    await sweepOnce();
    trial.clock.pass(limits.orphanLooksMs[0] ?? 0);
    const before = await catalog.listEpochs(blobId);
    expect(before.length).toBeGreaterThan(0);
    for (const site of ["ListObjects", "ListMultipartUploads"] as const) {
      for (const fault of hollow) {
        answerWith(site, fault);
        await sweepOnce();
        expect(await catalog.listEpochs(blobId), `${fault} at ${site}`).toEqual(before);
      }
    }
    trial.proxy.plan = () => undefined;
    await sweepOnce();
    const after = await catalog.listEpochs(blobId);
    expect(after.map(({ looks }) => looks)).toEqual(before.map(() => 1));
  });
}

if (typeof gateway === "string") {
  test("what a bucket says of removals and listings", (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describe("what a bucket says of removals and listings", () => {
    describeRemovals(gateway);
  });
}
