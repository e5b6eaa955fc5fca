import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { eventually } from "../support/eventually.ts";
import { type ProxyName, proxyNames, startDocumentedProxy } from "../support/documented-proxy.ts";
import { RawConnection } from "../support/raw-http.ts";
import { firstStrangeByte, patternBytes, patternChunks } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const MiB = 1024 * 1024;

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({ extraArguments: ["--trust-proxy"] });
});

afterAll(() => server.remove());

async function before(
  name: ProxyName,
  context: TestContext,
  options?: { readonly without: string },
): Promise<URL> {
  const proxy = await startDocumentedProxy(name, server.address, options);
  if (typeof proxy === "string") return context.skip(proxy);
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy.url;
}

function apiAt(url: URL): GraphApi {
  return new GraphApi({ url, appId: server.appId, token: server.token });
}

interface CutAppend {
  readonly id: string;
  readonly seed: number;
  readonly announced: number;
  readonly sent: number;
}

/** Breaks the connection to the proxy in the middle of a body. */
async function appendAndCut(url: URL, { id, seed, announced, sent }: CutAppend): Promise<void> {
  using connection = await RawConnection.open({ host: url.hostname, port: Number(url.port) });
  await connection.sendHead({
    method: "POST",
    path: `/v21.0/${id}`,
    headers: [
      ["Authorization", `OAuth ${server.token}`],
      ["file_offset", "0"],
      ["Content-Length", `${announced}`],
    ],
  });
  await connection.writeWhileTaken(patternChunks({ seed, length: sent }));
}

interface WholeUpload {
  readonly id: string;
  readonly seed: number;
  readonly length: number;
}

/** Undefined where bytes of the cut request arrived between asking for the offset and appending. */
async function goOn(api: GraphApi, upload: WholeUpload): Promise<string | undefined> {
  const { id, seed, length } = upload;
  const offset = await api.offset(id);
  expect(offset).toBeLessThan(length);
  const bytes = patternBytes({ seed, start: offset, length: length - offset });
  const answer = await api.append({ id, offset, bytes });
  if (answer.status === 412) return undefined;
  expect(answer.status, answer.body.toString()).toBe(200);
  return answer.text("h");
}

describe.each(proxyNames)("the configuration of %s in docs/operating.md", (name) => {
  it("keeps what came before a cut, and the upload goes on to its end", async (context) => {
    const url = await before(name, context);
    const api = apiAt(url);
    const [seed, length, sent] = [11, 24 * MiB, 16 * MiB];
    const id = await api.start({ file_length: length });
    await appendAndCut(url, { id, seed, announced: length, sent });
    await eventually(async () => (await api.offset(id)) || undefined, {
      what: "the bytes before the cut to count",
    });
    const handle = await eventually(() => goOn(api, { id, seed, length }), {
      what: "the rest to be taken",
    });
    const content = await api.content(await api.publish(handle));
    expect(content).toHaveLength(length);
    expect(firstStrangeByte(content, { seed })).toBeUndefined();
  }, 60_000);

  it("tells clients the address at which they came", async (context) => {
    const url = await before(name, context);
    const api = apiAt(url);
    const bytes = patternBytes({ seed: 5, length: 100 });
    const id = await api.start({ file_length: bytes.length });
    const handle = (await api.append({ id, offset: 0, bytes })).text("h");
    const file = await api.publish(handle);
    const facts = await fetch(new URL(`/v21.0/${file}?fields=url`, url), {
      headers: api.authorization,
    });
    expect(await facts.text()).toContain(`"url":"${url.origin}/`);
  });
});

describe("nginx", () => {
  it("drops file_offset where underscores_in_headers is left out", async (context) => {
    const url = await before("nginx", context, { without: "underscores_in_headers on;" });
    const api = apiAt(url);
    const id = await api.start({ file_length: 100 });
    const bytes = patternBytes({ seed: 5, length: 100 });
    const answer = await api.append({ id, offset: 0, bytes });
    expect(answer.status).toBe(400);
    expect(answer.body.toString()).toContain("underscores_in_headers");
  });
});
