import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import {
  CertificateAuthority,
  type CertificateWish,
  opensslMissing,
} from "../support/certificates.ts";
import { ServerProcess } from "../support/server-process.ts";
import { TlsFront } from "../support/tls-front.ts";
import { type Examination, examineAt, faultsIn } from "./doctor-run.ts";

let server: ServerProcess;
let authority: CertificateAuthority | undefined;

beforeAll(async () => {
  server = await ServerProcess.start();
  if (opensslMissing === undefined) authority = await CertificateAuthority.create();
});

afterAll(async () => {
  await server.remove();
  await authority?.[Symbol.asyncDispose]();
});

interface Terms {
  readonly trusted: boolean;
  readonly more?: readonly string[];
}

const probes = ["--only", "tls,request-header,connections"];

/** What the doctor sees through such a certificate, and how many bytes it sent inside TLS. */
async function examine(
  context: TestContext,
  wish: CertificateWish,
  { trusted, more = [] }: Terms,
): Promise<Examination & { readonly sent: number }> {
  if (authority === undefined) return context.skip(opensslMissing);
  const front = await TlsFront.start(server.address, await authority.issue(wish));
  context.onTestFinished(() => front[Symbol.asyncDispose]());
  const examination = await examineAt(server, front.url, {
    more: [...probes, ...more],
    environment: trusted ? { NODE_EXTRA_CA_CERTS: authority.file } : {},
  });
  return { ...examination, sent: front.received };
}

function outcomesIn({ seen }: Examination): string[] {
  return seen.map(({ outcome }) => outcome);
}

const good = { name: "localhost", daysOld: 30, daysLeft: 60 };

describe("hawser doctor over TLS", { timeout: 60_000 }, () => {
  it("finds nothing where the certificate is good, and tells how long it is", async (context) => {
    const examination = await examine(context, good, { trusted: true });
    expect(outcomesIn(examination)).toEqual(["ok", "ok", "ok"]);
    expect(examination.seen[0]?.evidence).toContain("59 days left");
    expect(examination.seen[2]?.evidence).toContain("no HTTP/2");
    expect(examination.code).toBe(0);
  });

  it("finds a certificate that ends soon, and looks at the rest", async (context) => {
    const examination = await examine(context, { ...good, daysLeft: 3 }, { trusted: true });
    expect(outcomesIn(examination)).toEqual(["finding", "ok", "ok"]);
    expect(faultsIn(examination)).toEqual(["certificate"]);
    expect(examination.seen[0]?.evidence).toContain("2 days left");
    expect(examination.seen[0]?.change?.nginx?.join()).toContain("ssl_certificate");
    expect(examination.code).toBe(1);
  });

  it("does not call a short-lived certificate an ending one", async (context) => {
    const wish = { ...good, daysOld: 2, daysLeft: 4 };
    expect(outcomesIn(await examine(context, wish, { trusted: true }))[0]).toBe("ok");
  });

  it("sends nothing, so no token, where nobody vouches for the certificate", async (context) => {
    const examination = await examine(context, good, { trusted: false });
    expect(outcomesIn(examination)).toEqual(["finding", "could-not-look", "could-not-look"]);
    expect(examination.seen[0]?.evidence).toContain("not trusted");
    expect(examination.sent).toBe(0);
    expect(examination.code).toBe(1);
  });

  it("goes on all the same with --insecure, and keeps the finding", async (context) => {
    const terms = { trusted: false, more: ["--insecure"] };
    const examination = await examine(context, good, terms);
    expect(outcomesIn(examination)).toEqual(["finding", "ok", "ok"]);
    expect(examination.code).toBe(1);
  });

  it("finds a certificate that is for another name", async (context) => {
    const wish = { ...good, name: "other.example" };
    const examination = await examine(context, wish, { trusted: true });
    expect(faultsIn(examination)).toEqual(["certificate"]);
    expect(examination.seen[0]?.evidence).toContain("ALTNAME");
    expect(examination.sent).toBe(0);
  });
});
