import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { IetfApi } from "../conformance/ietf/ietf-api.ts";
import { newest } from "../conformance/ietf/versions.ts";
import { Cluster } from "../support/cluster.ts";
import { RawConnection } from "../support/raw-http.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";

let cluster: Cluster | string = "it was not started";

beforeAll(async () => {
  cluster = await Cluster.start();
}, 120_000);

afterAll(async () => {
  if (typeof cluster !== "string") await cluster[Symbol.asyncDispose]();
}, 60_000);

function running(context: TestContext): Cluster {
  return typeof cluster === "string" ? context.skip(cluster) : cluster;
}

/** Through the load balancer, or straight to one node. */
function apiOf({ nodes, balancer }: Cluster, node?: number): GraphApi {
  const server = nodes[node ?? 0];
  if (server === undefined) throw new Error("there is no such node");
  const { appId, token } = server;
  return new GraphApi({ url: node === undefined ? balancer.url : server.address, appId, token });
}

describe("three nodes on one Postgres and one bucket", () => {
  it("go on with one upload, each request at another node", async (context) => {
    const api = apiOf(running(context));
    const [seed, length, piece] = [7, 30_000_000, 4_300_000];
    const id = await api.start({ file_length: length });
    let handle: string | undefined;
    for (let offset = 0; offset < length; offset += piece) {
      expect(await api.offset(id)).toBe(offset);
      const bytes = patternBytes({ seed, start: offset, length: Math.min(piece, length - offset) });
      const answer = await api.append({ id, offset, bytes });
      expect(answer.status, answer.body.toString()).toBe(200);
      handle = answer.json.h === undefined ? undefined : answer.text("h");
    }
    if (handle === undefined) throw new Error("the last append brought no handle");
    const content = await api.content(await api.publish(handle));
    expect(content).toHaveLength(length);
    expect(firstStrangeByte(content, { seed })).toBeUndefined();
    expect(crc32(content)).toBe(crc32(patternBytes({ seed, length })));
  }, 60_000);

  it("tell of an upload alike, whoever took its bytes", async (context) => {
    const found = running(context);
    const [seed, length, half] = [3, 12_000_000, 6_000_000];
    const id = await apiOf(found, 0).start({ file_length: length });
    const first = patternBytes({ seed, length: half });
    expect((await apiOf(found, 0).append({ id, offset: 0, bytes: first })).status).toBe(200);
    const rest = patternBytes({ seed, start: half, length: length - half });
    const last = await apiOf(found, 1).append({ id, offset: half, bytes: rest });
    expect(Object.keys(last.json), last.body.toString()).toEqual(["h"]);
    expect(await apiOf(found, 2).offset(id)).toBe(length);
  }, 60_000);

  it("end an append at another node when a client asks where to go on", async (context) => {
    const { nodes } = running(context);
    const [writing, asked, last] = nodes;
    if (writing === undefined || asked === undefined || last === undefined)
      throw new Error("three");
    const { token } = writing;
    const apiAt = ({ address: url }: typeof writing): IetfApi =>
      new IetfApi({ url: new URL("/uploads", url), token, version: newest, named: true });
    const [seed, length, sent] = [9, 9_000_000, 4_000_000];
    const path = new URL(await apiAt(writing).begun({ length })).pathname;
    using connection = await RawConnection.open({ host: "127.0.0.1", port: writing.port });
    const { authorization, interop, patchType } = apiAt(writing);
    const fields = { ...authorization, ...interop, ...patchType, ...apiAt(writing).flag(true) };
    await connection.sendHead({
      method: "PATCH",
      path,
      headers: Object.entries({ ...fields, "Upload-Offset": "0", "Content-Length": `${length}` }),
    });
    await connection.write(patternBytes({ seed, length: sent }));
    const offset = await apiAt(asked).offset(path);
    expect(await connection.peerClosed()).not.toBe("open");
    const rest = patternBytes({ seed, start: offset, length: length - offset });
    const answer = await apiAt(last).append(path, offset, { bytes: rest, complete: true });
    expect(answer.status, answer.shown).toBe(201);
    const graph = apiOf(running(context));
    const content = await graph.content(await graph.publish(String(answer.json.h)));
    expect(content).toHaveLength(length);
    expect(firstStrangeByte(content, { seed })).toBeUndefined();
  }, 60_000);
});
