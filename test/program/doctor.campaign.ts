import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import {
  type Change,
  type ProxyName,
  proxyNames,
  startDocumentedProxy,
} from "../support/documented-proxy.ts";
import { haproxyMissing, startHaproxy } from "../support/haproxy.ts";
import { ServerProcess } from "../support/server-process.ts";
import { Cli } from "../support/cli.ts";
import { type Examination, examineAt, faultsIn, runDoctor } from "./doctor-run.ts";
import { proxyFaults } from "./proxy-faults.ts";

let server: ServerProcess;

const examine = (url: string, more?: readonly string[]): Promise<Examination> =>
  examineAt(server, url, { more });

beforeAll(async () => {
  server = await ServerProcess.start({ extraArguments: ["--trust-proxy"] });
});

afterAll(() => server.remove());

/** Uploads that are still open, and files. */
async function leftOnServer(): Promise<unknown[]> {
  const left: unknown[] = [];
  for (const edge of ["uploads?status=open&limit=100", "files?limit=100"]) {
    const answer = await fetch(`${server.url}/v21.0/${server.appId}/${edge}`, {
      headers: { Authorization: `OAuth ${server.token}` },
    });
    const { data } = (await answer.json()) as { readonly data: unknown[] };
    left.push(...data);
  }
  return left;
}

async function before(name: ProxyName, context: TestContext, changes: readonly Change[] = []) {
  const proxy = await startDocumentedProxy(name, server.address, { changes });
  if (typeof proxy === "string") return context.skip(proxy);
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy.url.origin;
}

/** What pages send in the words of tus and of the IETF's protocol. */
const standardHeaders =
  "tus-resumable,upload-length,upload-metadata,upload-offset,upload-concat,upload-checksum," +
  "upload-complete,upload-draft-interop-version";

describe("hawser doctor", { timeout: 90_000 }, () => {
  it("finds nothing at a server without a proxy, and leaves nothing there", async () => {
    const examination = await examine(server.url);
    expect(faultsIn(examination)).toEqual([]);
    expect(examination.proxy).toBeUndefined();
    expect(examination.code).toBe(0);
    const notSeen = examination.seen.filter(({ outcome }) => outcome === "could-not-look");
    expect(notSeen.map(({ probe }) => probe)).toEqual(["tls"]);
    expect(await leftOnServer()).toEqual([]);
  });

  it.for(proxyNames)(
    "finds nothing behind %s as docs/operating.md has it",
    async (name, context) => {
      const examination = await examine(await before(name, context));
      expect(faultsIn(examination), JSON.stringify(examination.seen)).toEqual([]);
      expect(examination.proxy).toBe(name);
    },
  );

  it("finds what nginx breaks where nothing is configured", async (context) => {
    const bare = [
      ["underscores_in_headers on;", ""],
      ["client_max_body_size 0;", ""],
      ["proxy_request_buffering off;", ""],
      ["proxy_http_version 1.1;", ""],
      ["proxy_set_header Host $http_host;", ""],
      ["proxy_set_header X-Forwarded-Host $http_host;", ""],
    ] as const;
    const examination = await examine(await before("nginx", context, bare));
    expect(faultsIn(examination)).toEqual([
      ...["header-dropped", "body-held", "body-capped", "address-unknown"],
    ]);
    expect(await leftOnServer()).toEqual([]);
  });

  it("prints a checklist that says what to change", async (context) => {
    const url = await before("nginx", context, [["underscores_in_headers on;", ""]]);
    const { stdout, code } = await runDoctor(server, url, {
      more: ["--only", "request-header,methods"],
    });
    expect(stdout).toContain("through nginx/");
    expect(stdout).toContain("✓ every method reaches the server");
    expect(stdout).toContain("✗ the header file_offset arrives: it was sent");
    expect(stdout).toContain("    nginx: underscores_in_headers on;");
    expect(stdout).toContain("1 finding\n");
    expect(code).toBe(1);
  });

  it("puts nothing where it could not remove it", async (context) => {
    const url = await before("nginx", context, [
      ["location / {", "location / { limit_except GET POST OPTIONS { deny all; }"],
    ]);
    const { seen } = await examine(url, ["--only", "methods,request-header"]);
    expect(seen.map(({ outcome }) => outcome)).toEqual(["finding", "could-not-look"]);
    expect(await leftOnServer()).toEqual([]);
  });

  it("says so where the token may not do what the probes do", async () => {
    const token = await new Cli(server.dataDirectory).createToken({
      app: server.appId,
      scopes: ["create", "append", "read", "publish"],
    });
    const { code, stdout } = await runDoctor(server, server.url, {
      more: ["--json", "--token", token],
    });
    expect(code).toBe(3);
    expect(stdout).toContain("delete");
  });

  it("sees that pages may upload where something answers their preflights", async (context) => {
    const [graphs, standards] = ["authorization,content-type,file_offset", standardHeaders];
    const allow = `Access-Control-Allow-Headers "${graphs},${standards}"`;
    const methods = 'Access-Control-Allow-Methods "POST,PATCH"';
    const url = await before("haproxy", context, [
      [
        "default_backend hawser",
        [
          'http-request return status 204 hdr Access-Control-Allow-Origin "*" ' +
            `hdr ${allow} hdr ${methods} if METH_OPTIONS`,
          'http-response set-header Access-Control-Allow-Origin "*"',
          "default_backend hawser",
        ].join("\n  "),
      ],
    ]);
    const { seen } = await examine(url, ["--only", "cors"]);
    expect(seen.map(({ outcome }) => outcome)).toEqual(["ok"]);
  });
});

describe("hawser doctor behind a proxy with a fault", { timeout: 60_000 }, () => {
  it.for(proxyFaults)("names $what of $proxy", async (fault, context) => {
    const url = await before(fault.proxy, context, fault.changes);
    const examination = await examine(url, ["--only", fault.probe]);
    expect(faultsIn(examination), JSON.stringify(examination.seen)).toEqual([fault.fault]);
    expect(examination.proxy).toBe(fault.proxy);
    const advice = examination.seen[0]?.change?.[fault.proxy] ?? [];
    expect(advice.join("\n")).toContain(fault.words);
    expect(examination.code).toBe(1);
  });
});

/** Servers that take the same token, and know nothing of each other's uploads. */
async function strangers(count: number, context: TestContext): Promise<string> {
  if (haproxyMissing !== undefined) return context.skip(haproxyMissing);
  const started: ServerProcess[] = [];
  for (let index = 0; index < count; index += 1) {
    const stranger = await ServerProcess.start({ extraArguments: ["--trust-proxy"] });
    context.onTestFinished(() => stranger.remove());
    started.push(stranger);
  }
  const proxy = await startHaproxy(started.map(({ address }) => address));
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy.url.origin;
}

describe("hawser doctor before servers that share no catalog", { timeout: 60_000 }, () => {
  // Two take turns, so that only the append goes astray; of three, the question for its offset does.
  it.for([2, 3])("finds that an upload does not go on at %i of them", async (count, context) => {
    const url = await strangers(count, context);
    const examination = await examine(url, ["--only", "cut-upload"]);
    expect(faultsIn(examination), JSON.stringify(examination.seen)).toEqual([
      "upload-does-not-go-on",
    ]);
    expect(examination.seen[0]?.change?.haproxy?.join()).toContain("one backend");
    expect(examination.seen[0]?.change?.hawser?.join()).toContain("--catalog");
    expect(examination.code).toBe(1);
  });
});

describe("hawser doctor at a server with interim answers", { timeout: 60_000 }, () => {
  let informing: ServerProcess;

  beforeAll(async () => {
    informing = await ServerProcess.start({
      extraArguments: ["--trust-proxy", "--interim-answers"],
    });
  });

  afterAll(() => informing.remove());

  async function look(name: ProxyName, context: TestContext, changes: readonly Change[] = []) {
    const proxy = await startDocumentedProxy(name, informing.address, { changes });
    if (typeof proxy === "string") return context.skip(proxy);
    context.onTestFinished(() => proxy[Symbol.asyncDispose]());
    const more = ["--only", "interim-answers"];
    return await examineAt(informing, proxy.url.origin, { more });
  }

  it.for(["haproxy", "caddy"] as const)("sees that a 104 passes %s", async (name, context) => {
    const first = await look(name, context);
    // The machine may stand still for longer than the doctor waits for a 104.
    const isLost = faultsIn(first).includes("interim-answer-lost");
    const { seen } = isLost ? await look(name, context) : first;
    expect(seen.map(({ outcome }) => outcome)).toEqual(["ok"]);
    expect(seen[0]?.evidence).toContain("comes through");
  });

  it("finds that nginx gives no answer after a 104, and says to send none", async (context) => {
    const examination = await look("nginx", context);
    expect(faultsIn(examination)).toEqual(["interim-answer-breaks"]);
    expect(examination.seen[0]?.change?.hawser?.join()).toContain("without --interim-answers");
  });

  it("finds that none comes through where the proxy speaks HTTP/1.0", async (context) => {
    const changes: readonly Change[] = [["proxy_http_version 1.1;", "proxy_http_version 1.0;"]];
    const examination = await look("nginx", context, changes);
    expect(faultsIn(examination)).toEqual(["interim-answer-lost"]);
    expect(examination.seen[0]?.change?.nginx?.join()).toContain("passes no 104 on");
  });
});
