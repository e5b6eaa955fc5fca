import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterAll, describe, expect, test } from "vitest";
import { asError } from "../../packages/server/src/base/errors.ts";
import { silentLog } from "../../packages/server/src/base/log.ts";
import { openStorage } from "../../packages/server/src/service/storage.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import { type S3Fault, S3FaultProxy } from "../support/s3-fault-proxy.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { recordTrials } from "../support/trials.ts";

/* Every request of a start, from making the bucket to naming the deployment, fails in every way. */

const harness = "S3 calls of a start that fail";
const promise = "the next start works, and nothing is left over but objects of a self-test";
const atOnce = 5;
const gateway = await CephGateway.start();

interface Wrong {
  readonly fault: S3Fault;
  /** So many requests in a row: the client tries each of its calls three times. */
  readonly times: number;
}

const wrongs: readonly Wrong[] = [
  { fault: "refuse", times: 3 },
  { fault: "reset", times: 3 },
  { fault: "lose", times: 1 },
  { fault: "lose", times: 3 },
  { fault: "slow", times: 1 },
  { fault: "false-success", times: 1 },
];

/** What the client's next try makes good: a start that met one goes on. */
const passing: readonly S3Fault[] = ["lose", "slow", "stall"];

const fail = (error: Error): never => {
  throw error;
};

/** Starts and ends of one deployment, each through a proxy. */
class Starts {
  readonly #ceph: CephGateway;
  readonly #place: S3InTests;
  readonly #proxy: S3FaultProxy;
  readonly #dataDirectory: string;

  private constructor(ceph: CephGateway, proxy: S3FaultProxy, dataDirectory: string) {
    this.#ceph = ceph;
    this.#place = new S3InTests(ceph);
    this.#proxy = proxy;
    this.#dataDirectory = dataDirectory;
  }

  static async make(ceph: CephGateway): Promise<Starts> {
    const dataDirectory = await mkdtemp(path.join(tmpdir(), "hawser-s3-"));
    return new Starts(ceph, await S3FaultProxy.start(ceph.address), dataDirectory);
  }

  /** How many requests it took; from `first` on they go wrong. */
  async start(first = 0, { fault, times }: Wrong = { fault: "refuse", times: 0 }): Promise<number> {
    const before = this.#proxy.requests.length;
    this.#proxy.plan = ({ index }) => {
      const at = index - before;
      return at >= first && at < first + times ? fault : undefined;
    };
    const { endpoint } = this.#proxy;
    const blobsUrl = this.#ceph.location({ prefix: this.#place.prefix, endpoint });
    const storage = await openStorage({
      config: { dataDirectory: this.#dataDirectory, catalogConnections: 2, blobsUrl },
      ...{ threadPoolSize: 4, log: silentLog, onFatal: fail, onVolumeFailure: fail },
    });
    await storage.close();
    return this.#proxy.requests.length - before;
  }

  /** The name of a request, without what differs from one start to the next. */
  nameOf(index: number): string {
    const { method = "", path: asked = "" } = this.#proxy.requests[index] ?? {};
    return `${method} ${asked.replace(/[0-9a-f]{32}|[0-9a-f-]{36}/g, "*")}`;
  }

  /**
   * Everything under the prefix but what tells whose it is, and what a self-test tried out: that
   * stays where its removal is what failed.
   */
  async leftOver(): Promise<readonly string[]> {
    const { client, bucket, prefix } = this.#place;
    const list = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${prefix}/` });
    const begun = ((await client.send(list)).Uploads ?? []).map(({ Key: key }) => `begun: ${key}`);
    const found = [...(await this.#place.keys()), ...begun];
    return found.filter((key) => !/\/deployment\.json$|\/self-test\//.test(key));
  }

  async remove(): Promise<void> {
    await this.#proxy.close();
    await this.#place.dispose();
    await rm(this.#dataDirectory, { recursive: true, force: true });
  }
}

/** What a start that met the fault led to; undefined where all was well. */
async function problemOf(ceph: CephGateway, first: number, wrong: Wrong) {
  const starts = await Starts.make(ceph);
  try {
    // Whether it may start all the same is the self-test's to say.
    const outcome = await starts.start(first, wrong).catch(asError);
    const next = await starts.start().catch(asError);
    const problems = (await starts.leftOver()).map((key) => `left over: ${key}`);
    if (next instanceof Error) problems.push(`the next start failed: ${next.message}`);
    const words = outcome instanceof Error ? outcome.message : "it started";
    if (words.trim() === "") problems.push("it failed without a word");
    const mayFail = wrong.times > 1 || !passing.includes(wrong.fault);
    if (outcome instanceof Error && !mayFail) problems.push("the client's next try was not enough");
    if (problems.length === 0) return undefined;
    const what = `${wrong.fault} x ${wrong.times} at ${starts.nameOf(first)}`;
    return `${what} (${words}): ${problems.join(", ")}`;
  } finally {
    await starts.remove();
  }
}

function describeStarts(ceph: CephGateway): void {
  describe(harness, () => {
    async function each(wrongs: readonly Wrong[], atOnce = Infinity) {
      const whole = await Starts.make(ceph);
      const requests = await whole.start();
      await whole.remove();
      const trials = Array.from({ length: requests }, (_, first) =>
        wrongs.map((wrong) => ({ first, wrong })),
      ).flat();
      const waiting = trials.values();
      const failed: string[] = [];
      const work = async (): Promise<void> => {
        for (const { first, wrong } of waiting) {
          const problem = await problemOf(ceph, first, wrong);
          if (problem !== undefined) failed.push(problem);
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, trials.length) }, work));
      expect(failed).toEqual([]);
      return { n: trials.length, met: `${requests} requests` };
    }

    test("after each of them the next start works and leaves no objects but a self-test's", async () => {
      const done = await each(wrongs, atOnce);
      await recordTrials({ promise, fault: harness, seed: 0, ...done });
    });

    test("so it does after one that was never answered", async () => {
      // Each waits as long as a request may be silent: all do at once.
      const done = await each([{ fault: "stall", times: 1 }]);
      await recordTrials({ promise, fault: `${harness}: no answer ever comes`, seed: 0, ...done });
    });
  });
}

if (typeof gateway === "string") {
  test(harness, (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describeStarts(gateway);
}
