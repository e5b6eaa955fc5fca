import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../packages/server/src/base/limits.ts";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import { eventually } from "../support/eventually.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const gateway = await CephGateway.start();
const MiB = 1024 * 1024;
/** More than a part: until they are put together there are two objects. */
const bytes = patternBytes({ seed: 23, length: 6 * MiB + 1_000 });

interface Node {
  readonly server: ServerProcess;
  readonly api: GraphApi;
  readonly place: S3InTests;
}

async function startNode(ceph: CephGateway, assemble: "on-publish" | "never"): Promise<Node> {
  const place = new S3InTests(ceph);
  const blobs = ceph.location({ prefix: place.prefix, partMib: 5 });
  const server = await ServerProcess.start({
    environment: { ...ceph.environment, HAWSER_BLOBS: blobs },
    extraArguments: ["--redirect-downloads", "--assemble", assemble],
  });
  const { address: url, appId, token } = server;
  return { server, place, api: new GraphApi({ url, appId, token }) };
}

async function publishedPath({ api }: Node): Promise<string> {
  return `/v21.0/${await api.publish(await api.upload(bytes))}/content`;
}

function describeRedirects(ceph: CephGateway): void {
  let node: Node;
  let path: string;

  beforeAll(async () => {
    node = await startNode(ceph, "on-publish");
    path = await publishedPath(node);
    const isOneObject = async () => (await node.api.get(path)).status === 302 || undefined;
    await eventually(isOneObject, { what: "one object to be made" });
  });

  afterAll(async () => {
    await node.server.remove();
    await node.place.dispose();
  });

  async function location(query = ""): Promise<URL> {
    const answer = await node.api.get(`${path}${query}`);
    expect(answer.status).toBe(302);
    expect(answer.headers["cache-control"]).toBe("no-store");
    return new URL(answer.headers.location ?? "");
  }

  test("lead whoever follows them to the bytes, whole and in part, described as our own", async () => {
    const headers = { Authorization: `OAuth ${node.server.token}` };
    const target = `${node.server.url}${path}`;
    const whole = await fetch(target, { headers });
    expect([whole.status, whole.redirected]).toEqual([200, true]);
    expect(bytes.equals(Buffer.from(await whole.arrayBuffer()))).toBe(true);
    const own = await node.api.authorized({ method: "HEAD", path });
    for (const name of ["content-type", "content-disposition", "content-length"]) {
      expect(whole.headers.get(name), name).toBe(own.headers[name]);
    }
    const part = await fetch(target, { headers: { ...headers, Range: "bytes=5242000-5243999" } });
    expect([part.status, part.redirected]).toEqual([206, true]);
    expect(part.headers.get("content-range")).toBe(`bytes 5242000-5243999/${bytes.length}`);
    expect(bytes.subarray(5_242_000, 5_244_000).equals(Buffer.from(await part.arrayBuffer()))).toBe(
      true,
    );
  });

  test("are not for HEAD, nor for a range on a condition", async () => {
    const head = await node.api.authorized({ method: "HEAD", path });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers["content-length"]).toBe(`${bytes.length}`);
    const condition = { Range: "bytes=10-19", "If-Range": head.headers.etag ?? "" };
    const part = await node.api.get(path, condition);
    expect(part.status).toBe(206);
    expect(part.body.equals(bytes.subarray(10, 20))).toBe(true);
  });

  test("name neither a token nor a secret, and no log does", async () => {
    const { token, appSecret, logLines } = node.server;
    const secrets = [token, appSecret, ceph.environment.AWS_SECRET_ACCESS_KEY];
    for (const query of ["", `?access_token=${token}`]) {
      const url = decodeURIComponent((await location(query)).href);
      for (const secret of secrets) expect(url).not.toContain(secret);
    }
    expect(logLines.join("\n")).not.toMatch(/x-amz-signature/i);
  });

  test("end by themselves, and a signature is for one object and one time alone", async () => {
    const url = await location();
    expect(url.searchParams.get("X-Amz-Expires")).toBe(`${limits.signedUrlSeconds}`);
    const longer = new URL(url);
    longer.searchParams.set("X-Amz-Expires", "86400");
    const other = new URL(url);
    other.pathname += "0";
    for (const wrong of [longer, other]) expect((await fetch(wrong)).status).toBe(403);
    const store = await node.place.openStore();
    const extent = {
      key: url.pathname.slice(`/${node.place.bucket}/`.length),
      ...{ start: 0, length: bytes.length, crc32: 0, inline: undefined },
    };
    const described = { contentType: "text/plain", contentDisposition: "inline" };
    const [lasting, brief] = await Promise.all(
      [60, 1].map((lifetimeSeconds) => store.signUrl({ extent, ...described, lifetimeSeconds })),
    );
    await store.close();
    await sleep(2_100);
    const first = { headers: { Range: "bytes=0-0" } };
    const statuses = [url, lasting, brief].map(
      async (signed) => (await fetch(signed ?? "", first)).status,
    );
    expect(await Promise.all(statuses)).toEqual([206, 206, 403]);
  });

  test("are not given for a file of several objects: the node streams it", async () => {
    const other = await startNode(ceph, "never");
    try {
      const several = await publishedPath(other);
      const whole = await other.api.get(several);
      expect(whole.status).toBe(200);
      expect(whole.body.equals(bytes)).toBe(true);
      const part = await other.api.get(several, { Range: "bytes=5242000-5243999" });
      expect(part.status).toBe(206);
      expect(part.body.equals(bytes.subarray(5_242_000, 5_244_000))).toBe(true);
    } finally {
      await other.server.remove();
      await other.place.dispose();
    }
  });
}

if (typeof gateway === "string") {
  test("redirects of downloads", (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describe("redirects of downloads", () => {
    describeRedirects(gateway);
  });
}
