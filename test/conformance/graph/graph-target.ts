import { randomInt } from "node:crypto";
import { afterAll, beforeAll, type TestContext } from "vitest";

import { type AppOptions, Cli, everyUploadScope, type Scope } from "../../support/cli.ts";
import type { HeaderLine, RawAddress, RawRequestHead } from "../../support/raw-http.ts";
import { RawConnection } from "../../support/raw-http.ts";
import { ServerProcess, type ServerProcessOptions } from "../../support/server-process.ts";
import { GraphApi, uploadPath } from "./graph-api.ts";

export const declaring = (length: number): readonly HeaderLine[] => [
  ["Content-Length", `${length}`],
];

export const chunked: readonly HeaderLine[] = [["Transfer-Encoding", "chunked"]];

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new Error(`${name} must be set when HAWSER_TEST_URL is`);
  }
  return value;
}

/**
 * The server under test. With HAWSER_TEST_URL it is that one, and HAWSER_TEST_APP_ID,
 * HAWSER_TEST_APP_SECRET and HAWSER_TEST_TOKEN describe an app of it whose token has every scope;
 * without, each file starts a server of its own. HAWSER_TEST_DATA names the data directory of that
 * server, or of one node of several, for the `hawser` command; HAWSER_TEST_RAW_URL one to send raw
 * bytes to, where what stands before it would put them right. Cases that need more than what is given
 * say why they are skipped.
 */
export class GraphTarget {
  readonly api: GraphApi;
  readonly own: ServerProcess | undefined;

  private constructor(api: GraphApi, own: ServerProcess | undefined) {
    this.api = api;
    this.own = own;
  }

  static async open(options: ServerProcessOptions): Promise<GraphTarget> {
    const given = process.env.HAWSER_TEST_URL;
    if (given === undefined || given === "") {
      const own = await ServerProcess.start(options);
      const { address: url, appId, token } = own;
      return new GraphTarget(new GraphApi({ url, appId, token }), own);
    }
    const appId = required("HAWSER_TEST_APP_ID");
    const token = required("HAWSER_TEST_TOKEN");
    // Not used to ask anything, but a target without it is not fully described.
    required("HAWSER_TEST_APP_SECRET");
    return new GraphTarget(new GraphApi({ url: new URL(given), appId, token }), undefined);
  }

  async close(): Promise<void> {
    await this.own?.remove();
  }

  /** The server's own process; skips the case when the server is somebody else's. */
  ownServer(context: TestContext): ServerProcess {
    if (this.own !== undefined) return this.own;
    return context.skip("needs a server that the suite started itself");
  }

  /** The command on the server's data; skips the case where that is out of reach. */
  cli(context: TestContext): Cli {
    const given = process.env.HAWSER_TEST_DATA;
    const directory = this.own?.dataDirectory ?? (given === "" ? undefined : given);
    if (directory !== undefined) return new Cli(directory);
    return context.skip("needs the hawser command on the server's data directory");
  }

  /** Where raw bytes can be sent; skips the case when the server speaks TLS. */
  rawAddress(context: TestContext): RawAddress {
    const given = process.env.HAWSER_TEST_RAW_URL;
    const url = given === undefined || given === "" ? this.api.url : new URL(given);
    if (url.protocol !== "http:") context.skip("needs a server reached without TLS");
    return { host: url.hostname, port: Number(url.port === "" ? "80" : url.port) };
  }

  async connect(context: TestContext): Promise<RawConnection> {
    return RawConnection.open(this.rawAddress(context));
  }

  /** The head of a step 2 as a careful client would send it; `headers` come after. */
  appendHead(
    upload: { readonly id: string; readonly offset: number },
    headers: readonly HeaderLine[],
  ): RawRequestHead {
    return {
      method: "POST",
      path: this.api.pathOf(uploadPath(upload.id)),
      headers: [
        ["Authorization", `OAuth ${this.api.token}`],
        ["file_offset", `${upload.offset}`],
        ...headers,
      ],
    };
  }

  /** Sends that head on a connection of its own; the body is the caller's to send, or not to. */
  async beginAppend(
    context: TestContext,
    upload: { readonly id: string; readonly offset: number },
    headers: readonly HeaderLine[],
  ): Promise<RawConnection> {
    const connection = await this.connect(context);
    await connection.sendHead(this.appendHead(upload, headers));
    return connection;
  }

  /** A token of the target's own app with these scopes only. */
  async scopedApi(context: TestContext, scopes: readonly Scope[]): Promise<GraphApi> {
    const app = this.api.appId;
    return this.api.as({ token: await this.cli(context).createToken({ app, scopes }) });
  }

  /** A second app beside the target's own, with a token for everything an upload needs. */
  async secondApp(
    context: TestContext,
    wishes: Omit<AppOptions, "id" | "secret"> = {},
  ): Promise<GraphApi> {
    const cli = this.cli(context);
    // Drawn, since other files may be asking the same server.
    const appId = `777${randomInt(1e12, 1e13)}`;
    await cli.createApp({ id: appId, secret: `second-app-secret-${appId}`, ...wishes });
    const token = await cli.createToken({ app: appId, scopes: everyUploadScope });
    return this.api.as({ appId, token });
  }
}

/** Opens one target for the whole file and closes it at its end. */
export function useGraphTarget(options: ServerProcessOptions = {}): () => GraphTarget {
  let target: GraphTarget | undefined;
  beforeAll(async () => {
    target = await GraphTarget.open(options);
  });
  afterAll(async () => {
    await target?.close();
  });
  return () => {
    if (target === undefined) throw new Error("the target is open only while tests run");
    return target;
  };
}
