import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import {
  CertificateAuthority,
  type CertificateWish,
  opensslMissing,
} from "../support/certificates.ts";
import {
  type Change,
  type ProxyName,
  proxyNames,
  startDocumentedProxy,
} from "../support/documented-proxy.ts";
import { freePort } from "../support/free-port.ts";
import { ServerProcess } from "../support/server-process.ts";
import { type Examination, examineAt, faultsIn } from "./doctor-run.ts";

let server: ServerProcess;
let directory: string;
let authority: CertificateAuthority | undefined;

beforeAll(async () => {
  server = await ServerProcess.start({ extraArguments: ["--trust-proxy"] });
  directory = await mkdtemp(join(tmpdir(), "hawser-doctor-tls-"));
  if (opensslMissing === undefined) authority = await CertificateAuthority.create();
});

afterAll(async () => {
  await server.remove();
  await rm(directory, { recursive: true, force: true });
  await authority?.[Symbol.asyncDispose]();
});

/** A second door beside the plain one, with TLS, before the same server. */
type Door = (port: number, file: string) => readonly Change[];

const doors: Readonly<Record<ProxyName, Door>> = {
  nginx: (port, file) => [
    [
      "underscores_in_headers on;",
      `listen 127.0.0.1:${port} ssl; ssl_certificate ${file}; ssl_certificate_key ${file};` +
        " underscores_in_headers on;",
    ],
  ],
  haproxy: (port, file) => [
    ["default_backend hawser", `bind 127.0.0.1:${port} ssl crt ${file}\n  default_backend hawser`],
  ],
  caddy: (port, file) => [
    // It would put an authority of its own into the machine's trust store.
    ["admin off", "admin off\n  auto_https off\n  skip_install_trust"],
    [
      "bind 127.0.0.1",
      `bind 127.0.0.1\n  reverse_proxy ${server.address.host}\n}\n` +
        `https://localhost:${port} {\n  bind 127.0.0.1\n  tls ${file} ${file}`,
    ],
  ],
};

/** What of the advice names the certificate. */
const words: Readonly<Record<ProxyName, string>> = {
  nginx: "ssl_certificate",
  haproxy: "ssl crt",
  caddy: "no tls internal",
};

interface Behind {
  readonly name: ProxyName;
  readonly wish: CertificateWish;
  readonly trusted: boolean;
}

async function examine(context: TestContext, behind: Behind): Promise<Examination> {
  if (authority === undefined) return context.skip(opensslMissing);
  const { name, wish, trusted } = behind;
  const { key, cert } = await authority.issue(wish);
  const port = await freePort();
  const file = join(directory, `${port}.pem`);
  await writeFile(file, `${cert}${key}`);
  const proxy = await startDocumentedProxy(name, server.address, {
    changes: doors[name](port, file),
  });
  if (typeof proxy === "string") return context.skip(proxy);
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
  return await examineAt(server, `https://localhost:${port}`, {
    more: ["--only", "tls,request-header"],
    environment: trusted ? { NODE_EXTRA_CA_CERTS: authority.file } : {},
  });
}

const good = { name: "localhost", daysOld: 30, daysLeft: 60 };
const bad = [
  { what: "that has expired", wish: { ...good, daysLeft: -1 }, trusted: true, says: "EXPIRED" },
  { what: "of another name", wish: { ...good, name: "a.example" }, trusted: true, says: "ALTNAME" },
  { what: "that nobody vouches for", wish: good, trusted: false, says: "not trusted" },
];

describe.each(proxyNames)("hawser doctor before %s with TLS", { timeout: 60_000 }, (name) => {
  it("finds nothing where the certificate is good", async (context) => {
    const examination = await examine(context, { name, wish: good, trusted: true });
    expect(examination.seen.map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
    expect(examination.proxy).toBe(name);
  });

  it.for(bad)("finds a certificate $what", async ({ wish, trusted, says }, context) => {
    const examination = await examine(context, { name, wish, trusted });
    const { seen } = examination;
    expect(faultsIn(examination)).toEqual(["certificate"]);
    expect(seen[0]?.evidence).toContain(says);
    expect(seen[0]?.change?.[name]?.join()).toContain(words[name]);
    // No token goes there, so nothing else was looked at.
    expect(seen[1]?.outcome).toBe("could-not-look");
  });
});

/** An address of this machine that is not loopback's. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

/** A door without TLS, at that address. */
const plainDoors: Readonly<Record<ProxyName, (host: string) => readonly Change[]>> = {
  nginx: (host) => [
    ["underscores_in_headers on;", `listen ${host};\n  underscores_in_headers on;`],
  ],
  haproxy: (host) => [["default_backend hawser", `bind ${host}\n  default_backend hawser`]],
  caddy: (host) => [
    [
      "bind 127.0.0.1",
      `bind 127.0.0.1\n  reverse_proxy ${server.address.host}\n}\n` +
        `http://${host} {\n  bind ${ownAddress ?? ""}`,
    ],
  ],
};

const plainWords: Readonly<Record<ProxyName, string>> = {
  nginx: "listen 443 ssl",
  haproxy: "bind :443 ssl",
  caddy: "the site's name",
};

describe("hawser doctor before a proxy without TLS", { timeout: 60_000 }, () => {
  it.for(proxyNames)(
    "finds that %s's door to a network is not encrypted",
    async (name, context) => {
      if (ownAddress === undefined)
        return context.skip("this machine has loopback's addresses only");
      const host = `${ownAddress}:${await freePort()}`;
      const proxy = await startDocumentedProxy(name, server.address, {
        changes: plainDoors[name](host),
      });
      if (typeof proxy === "string") return context.skip(proxy);
      context.onTestFinished(() => proxy[Symbol.asyncDispose]());
      const examination = await examineAt(server, `http://${host}`, {
        more: ["--only", "tls,request-header"],
      });
      expect(faultsIn(examination)).toEqual(["not-encrypted"]);
      expect(examination.seen.map(({ outcome }) => outcome)).toEqual(["finding", "ok"]);
      expect(examination.seen[0]?.evidence).toContain("plain HTTP");
      expect(examination.seen[0]?.change?.[name]?.join()).toContain(plainWords[name]);
      expect(examination.code).toBe(1);
    },
  );
});
