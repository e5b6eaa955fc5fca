import { afterAll, beforeAll, type TestContext } from "vitest";

import type { AppOptions } from "../../support/cli.ts";
import { type HeaderLine, type RawAddress, RawConnection } from "../../support/raw-http.ts";
import type { ServerProcess, ServerProcessOptions } from "../../support/server-process.ts";
import type { GraphApi } from "../graph/graph-api.ts";
import { GraphTarget } from "../graph/graph-target.ts";
import { offsetType, TusApi, version } from "./tus-api.ts";

export { chunked, declaring } from "../graph/graph-target.ts";

/** One app of this server, in both protocols. */
export interface AppApis {
  readonly api: TusApi;
  readonly graph: GraphApi;
}

/**
 * The server under test. HAWSER_TEST_TUS_URL is where any tus server creates uploads, with
 * HAWSER_TEST_TOKEN if it wants a bearer token. Without it the target is that of the Graph suite:
 * a server of its own for each file, or the one that HAWSER_TEST_URL names. Cases that need more
 * than what is given say why they are skipped.
 */
export class TusTarget {
  readonly api: TusApi;
  readonly #graph: GraphTarget | undefined;

  private constructor(api: TusApi, graph: GraphTarget | undefined) {
    this.api = api;
    this.#graph = graph;
  }

  static async open(options: ServerProcessOptions): Promise<TusTarget> {
    const other = process.env.HAWSER_TEST_TUS_URL;
    if (other !== undefined && other !== "") {
      const token = process.env.HAWSER_TEST_TOKEN;
      return new TusTarget(new TusApi({ url: new URL(other), token }), undefined);
    }
    const graph = await GraphTarget.open(options);
    return new TusTarget(tusApiOf(graph.api), graph);
  }

  async close(): Promise<void> {
    await this.#graph?.close();
  }

  /** Skips the case where the server is not this project's. */
  hawser(context: TestContext): GraphTarget {
    if (this.#graph !== undefined) return this.#graph;
    return context.skip("is about what the protocol leaves to a server");
  }

  ownServer(context: TestContext): ServerProcess {
    return this.hawser(context).ownServer(context);
  }

  /** A second app beside the target's own, with a token for everything an upload needs. */
  async secondApp(
    context: TestContext,
    wishes: Omit<AppOptions, "id" | "secret"> = {},
  ): Promise<AppApis> {
    const graph = await this.hawser(context).secondApp(context, wishes);
    return { api: tusApiOf(graph), graph };
  }

  /** The same server for who only looks: asked by this, it ends no request that is being sent. */
  async onlooker(context: TestContext): Promise<TusApi> {
    if (this.#graph === undefined) return this.api;
    return this.api.withToken((await this.#graph.scopedApi(context, ["read"])).token);
  }

  /** The bytes of a complete upload: published here, elsewhere by a GET of its URL. */
  async content(url: URL, apis?: AppApis): Promise<Buffer> {
    const graph = apis?.graph ?? this.#graph?.api;
    if (graph === undefined) {
      const answer = await this.api.bare({ method: "GET", url });
      if (answer.status !== 200) throw new Error(`get: ${answer.seen}`);
      return answer.body;
    }
    const answer = await graph.get(await this.graphPathOf(url, apis?.api));
    return graph.content(await graph.publish(answer.text("h")));
  }

  /** Where Graph tells of the upload, relative to the server's address. */
  async graphPathOf(url: URL, api = this.api): Promise<string> {
    const answer = await api.head(url);
    const link = /<https?:\/\/[^/]+(\/[^>]*)>; rel="describedby"/.exec(answer.header("link") ?? "");
    if (link?.[1] === undefined) throw new Error(`no link: ${answer.seen}`);
    return link[1];
  }

  /** Where raw bytes can be sent; skips the case when the server speaks TLS. */
  rawAddress(context: TestContext): RawAddress {
    if (this.#graph !== undefined) return this.#graph.rawAddress(context);
    const { protocol, hostname, port } = this.api.url;
    if (protocol !== "http:") context.skip("needs a server reached without TLS");
    return { host: hostname, port: Number(port === "" ? "80" : port) };
  }

  /** Sends a head on a connection of its own; the body is the caller's to send, or not to. */
  async begin(
    context: TestContext,
    request: { readonly method: string; readonly url: URL },
    headers: readonly HeaderLine[],
  ): Promise<RawConnection> {
    const connection = await RawConnection.open(this.rawAddress(context));
    const { method, url } = request;
    const usual: readonly HeaderLine[] = [
      ...Object.entries(this.api.authorization),
      ["Tus-Resumable", version],
      ["Content-Type", offsetType],
    ];
    await connection.sendHead({ method, path: url.pathname, headers: [...usual, ...headers] });
    return connection;
  }

  /** The head of a PATCH. */
  async beginPatch(
    context: TestContext,
    upload: { readonly url: URL; readonly offset: number },
    headers: readonly HeaderLine[],
  ): Promise<RawConnection> {
    const offset: HeaderLine = ["Upload-Offset", `${upload.offset}`];
    return this.begin(context, { method: "PATCH", url: upload.url }, [offset, ...headers]);
  }
}

function tusApiOf(graph: GraphApi): TusApi {
  return new TusApi({ url: new URL(graph.pathOf("/uploads"), graph.url), token: graph.token });
}

/** Opens one target for the whole file and closes it at its end. */
export function useTusTarget(options: ServerProcessOptions = {}): () => TusTarget {
  let target: TusTarget | undefined;
  beforeAll(async () => {
    target = await TusTarget.open(options);
  });
  afterAll(async () => {
    await target?.close();
  });
  return () => {
    if (target === undefined) throw new Error("the target is open only while tests run");
    return target;
  };
}
