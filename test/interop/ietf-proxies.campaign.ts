import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import { takingUntyped } from "../conformance/untyped.ts";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import { IetfApi } from "../conformance/ietf/ietf-api.ts";
import { interopVersions, newest } from "../conformance/ietf/versions.ts";
import { type ProxyName, proxyNames, startDocumentedProxy } from "../support/documented-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { runSuite, suiteLines } from "../support/run-suite.ts";
import { patternBytes, patternChunks } from "../support/seeded.ts";
import { repositoryDirectory, ServerProcess } from "../support/server-process.ts";
import { sendByJsClient } from "./js-upload.ts";

const MiB = 1024 * 1024;

/** What becomes of a 104 on its way to the client. */
type Fate = "comes through" | "holds up the answer";

/** Of the versions in Debian 12, as docs/protocols/ietf.md has it. */
const fates: Readonly<Record<ProxyName, Fate>> = {
  nginx: "holds up the answer",
  haproxy: "comes through",
  caddy: "comes through",
};

/** What becomes of an append that another request ended, while its body is still to come. */
type Ending = "is answered at once" | "is answered with the rest of its body";

const endings: Readonly<Record<ProxyName, Ending>> = {
  nginx: "is answered at once",
  haproxy: "is answered at once",
  caddy: "is answered with the rest of its body",
};

const suite = "test/conformance/ietf";

/** These want a server that sends interim answers, which nothing comes after behind nginx. */
const interimFile = "interim.test.ts";
const interimCases = [
  "mixed.test.ts > every answer about an upload > " +
    "tells where Graph has it, interim ones, refusals and the last one, too",
];

/** The cases in which the connection of a request that was ended is to be closed by the server. */
const closingCases = [
  "cancellation.test.ts > upload cancellation > ends a request that is still being sent",
  "concurrency.test.ts > a request while another is still being sent > " +
    "that appends ends it, and is judged by what that one had brought",
];

/** The cases in which a request is to be answered before its body has come. */
const earlyCases = [
  "concurrency.test.ts > a request while another is still being sent > " +
    "that asks for the offset ends it, so that the offset it gets can be used",
  "digests.test.ts > more content than may wait for its Content-Digest > " +
    "is 413 before it comes, and tells how much one append may bring",
];

/** The cases that are known to fail behind each, and no others do. */
const knownCases: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: [],
  // It passes the answer on, and leaves the connection open for the rest of the body.
  haproxy: closingCases,
  // It waits for the rest of the body before it passes the answer on.
  caddy: [...closingCases, ...earlyCases],
};

/** What a proxy may do by itself, one time and another not. */
const proxysOwn = [
  // A sender that is gone before the proxy has passed on what it sent.
  "lengths.test.ts > the length of an upload > " +
    "is recorded from a last part that is cut, whose Content-Length said it",
];

interface Front {
  readonly api: IetfApi;
  readonly graph: GraphApi;
}

async function before(
  name: ProxyName,
  server: ServerProcess,
  context: TestContext,
): Promise<Front> {
  const proxy = await startDocumentedProxy(name, server.address);
  if (typeof proxy === "string") return context.skip(proxy);
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  const { token, appId } = server;
  const api = new IetfApi({
    url: new URL("/uploads", proxy.url),
    token,
    version: newest,
    named: true,
  });
  return { api, graph: new GraphApi({ url: proxy.url, appId, token }) };
}

async function expectWhole({ api, graph }: Front, url: string, bytes: Buffer): Promise<void> {
  const { json } = await api.get(url);
  const content = await graph.content(await graph.publish(String(json.h)));
  expect(content.equals(bytes)).toBe(true);
}

/** The head of an append at offset 0; its body is the caller's to send. */
async function beginAppend(api: IetfApi, url: string, length: number): Promise<RawConnection> {
  const { hostname: host, port, pathname: path } = new URL(url);
  const connection = await RawConnection.open({ host, port: Number(port) });
  await connection.sendHead({
    method: "PATCH",
    path,
    headers: Object.entries({
      ...api.authorization,
      ...api.interop,
      ...api.patchType,
      ...api.flag(true),
      "Upload-Offset": "0",
      "Content-Length": `${length}`,
    }),
  });
  return connection;
}

/** Breaks the connection to the proxy in the middle of an append. */
async function appendAndCut(api: IetfApi, url: string, seed: number): Promise<void> {
  using connection = await beginAppend(api, url, 12 * MiB);
  await connection.writeWhileTaken(patternChunks({ seed, length: 8 * MiB }));
}

describe.each(proxyNames)("%s in front of a server without interim answers", (name) => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start(takingUntyped({ extraArguments: ["--trust-proxy"] }));
  });

  afterAll(() => server.remove());

  it.for(interopVersions)("carries an upload, interop $interop", async (version, context) => {
    const front = await before(name, server, context);
    const api = front.api.at(version);
    const bytes = patternBytes({ seed: 451, length: 3 * MiB });
    const created = await api.create({ bytes: bytes.subarray(0, MiB), length: bytes.length });
    expect(created.status, created.shown).toBe(201);
    const { location: url } = created;
    expect(new URL(url).origin).toBe(api.url.origin);
    const next = { bytes: bytes.subarray(MiB, 2 * MiB) };
    expect((await api.append(url, MiB, next)).status).toBe(version.appendedStatus);
    expect(await api.offset(url)).toBe(2 * MiB);
    const last = { bytes: bytes.subarray(2 * MiB), complete: true, chunked: true };
    const answer = await api.append(url, 2 * MiB, last);
    expect(answer.status, answer.shown).toBe(201);
    await expectWhole(front, url, bytes);
    const cancelled = await api.begun();
    expect((await api.delete(cancelled)).status).toBe(204);
  });

  it("keeps what came before a cut, and the upload goes on to its end", async (context) => {
    const front = await before(name, server, context);
    const { api } = front;
    const bytes = patternBytes({ seed: 452, length: 12 * MiB });
    const url = await api.begun({ length: bytes.length });
    await appendAndCut(api, url, 452);
    await eventually(async () => (await api.offset(url)) || undefined, {
      what: "the bytes before the cut to count",
    });
    const goOn = async () => {
      const offset = await api.offset(url);
      const rest = { bytes: bytes.subarray(offset), complete: true };
      // A proxy may still be passing on what it took before the cut, and the refusal comes early.
      const answer = await api.append(url, offset, rest).catch(() => undefined);
      return answer?.status === 201 ? true : undefined;
    };
    await eventually(goOn, { what: "the rest to be taken" });
    await expectWhole(front, url, bytes);
  });

  it.for(["ietf-draft-03", "ietf-draft-05"] as const)(
    "carries what tus-js-client sends as %s",
    async (protocol, context) => {
      const front = await before(name, server, context);
      const place = {
        url: front.api.url,
        authorization: front.api.authorization,
      };
      const bytes = patternBytes({ seed: 453, length: 5 * MiB });
      const options = { protocol, chunkSize: 2 * MiB };
      const url = await sendByJsClient(place, { source: bytes, options });
      await expectWhole(front, url.href, bytes);
    },
  );
});

// All at once: most of the time of a suite goes by waiting for what a proxy holds up.
describe.concurrent.each(proxyNames)("%s in front of the IETF's draft", (name) => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start(takingUntyped({ extraArguments: ["--trust-proxy"] }));
  });

  afterAll(() => server.remove());

  it("carries its requests, but for what is known of this proxy", async (context) => {
    const { api } = await before(name, server, context);
    const files = await readdir(join(repositoryDirectory, suite));
    const tests = files.filter((file) => file.endsWith(".test.ts") && file !== interimFile);
    const report = await runSuite(
      tests.map((file) => `${suite}/${file}`),
      {
        HAWSER_TEST_URL: api.url.origin,
        HAWSER_TEST_APP_ID: server.appId,
        HAWSER_TEST_APP_SECRET: server.appSecret,
        HAWSER_TEST_TOKEN: server.token,
      },
    );
    console.log(`the IETF suite through ${name}: ${suiteLines(report).join("\n")}`);
    const failed = report.failedCases.filter((each) => !proxysOwn.includes(each));
    // Both ways: what fails no more is to be documented, too.
    const known = [...interimCases, ...knownCases[name]];
    expect(failed.toSorted()).toEqual(known.toSorted());
    expect(report.passed).toBeGreaterThan(250);
  });

  it(`is where an append that was ended ${endings[name]}`, async (context) => {
    const { api, graph } = await before(name, server, context);
    const bytes = patternBytes({ seed: 457, length: 400_000 });
    const created = await api.create({ length: bytes.length });
    const { location: url, graphId } = created;
    using stalled = await beginAppend(api, url, bytes.length);
    await stalled.write(bytes.subarray(0, 200_000));
    // Graph's status leaves the append alone, unlike HEAD. The last of the half may be a trickle,
    // which is durable only after 15 s.
    await eventually(async () => ((await graph.offset(graphId)) === 200_000 ? true : undefined), {
      what: "the first half to be durable",
      timeoutMs: 45_000,
    });
    expect(await api.offset(url)).toBe(200_000);
    const rest = { bytes: bytes.subarray(200_000), complete: true };
    expect((await api.append(url, 200_000, rest)).status).toBe(201);
    if (endings[name] !== "is answered at once") {
      expect(stalled.received.toString()).toBe("");
      await stalled.write(bytes.subarray(200_000));
    }
    expect((await stalled.answer()).status).toBe(503);
  });
});

describe.each(proxyNames)("%s in front of a server with interim answers", (name) => {
  const fate = fates[name];
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start(
      takingUntyped({ extraArguments: ["--trust-proxy", "--interim-answers"] }),
    );
  });

  afterAll(() => server.remove());

  it(`is where a 104 ${fate}`, async (context) => {
    const { api } = await before(name, server, context);
    const bytes = patternBytes({ seed: 454, length: MiB });
    const { hostname: host, port } = api.url;
    using connection = await RawConnection.open({ host, port: Number(port) });
    await connection.sendHead({
      method: "POST",
      path: "/uploads",
      headers: Object.entries({
        ...api.authorization,
        ...api.interop,
        ...api.flag(true),
        "Content-Type": "application/pdf",
        "Content-Length": `${bytes.length}`,
      }),
    });
    await connection.writeWhileTaken([bytes], { untilAnswered: true });
    if (fate === "holds up the answer") {
      const answered = () => server.logLines.some((line) => line.includes('"status":201'));
      await eventually(() => answered() || undefined, { what: "the server to have answered" });
      await sleep(2_000);
      expect(connection.received.toString()).toBe("");
      return;
    }
    const answer = await connection.answer();
    expect(answer.status).toBe(201);
    expect(answer.interim.map(({ status }) => status)).toContain(104);
  });

  it("carries an upload of a client that names no version", async (context) => {
    const front = await before(name, server, context);
    const bytes = patternBytes({ seed: 455, length: 2 * MiB });
    const answer = await front.api.unnamed().create({ bytes, complete: true });
    expect(answer.status, answer.shown).toBe(201);
    await expectWhole(front, answer.location, bytes);
  });

  it("carries an upload of a client that names one, where a 104 comes through", async (context) => {
    if (fate !== "comes through") return context.skip(`${name} gives no answer after a 104`);
    const front = await before(name, server, context);
    const bytes = patternBytes({ seed: 456, length: 2 * MiB });
    const answer = await front.api.create({ bytes, complete: true });
    expect(answer.status, answer.shown).toBe(201);
    await expectWhole(front, answer.location, bytes);
  });
});
