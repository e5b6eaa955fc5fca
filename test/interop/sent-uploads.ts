import { GraphApi } from "../conformance/graph/graph-api.ts";
import { TusApi } from "../conformance/tus/tus-api.ts";
import { Cli } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** What came of uploads that clients sent, asked past any proxy by the URLs the clients know. */
export class SentUploads {
  readonly #tus: TusApi;
  readonly #graph: GraphApi;

  private constructor(tus: TusApi, graph: GraphApi) {
    this.#tus = tus;
    this.#graph = graph;
  }

  static async of({ address: url, appId, token, dataDirectory }: ServerProcess) {
    // With a token that may append, asking would end the requests that are being sent.
    const looking = { app: appId, scopes: ["read"] } as const;
    const reader = await new Cli(dataDirectory).createToken(looking);
    const tus = new TusApi({ url: new URL("/uploads", url), token: reader });
    return new SentUploads(tus, new GraphApi({ url, appId, token }));
  }

  head(upload: string) {
    return this.#tus.head(new URL(new URL(upload).pathname, this.#tus.url));
  }

  /** Waits until the server has kept something of each; how much that is. */
  keptOf(uploads: readonly string[]): Promise<number[]> {
    const ask = async (upload: string) => (await this.head(upload)).offset ?? 0;
    return eventually(
      async () => {
        const offsets = await Promise.all(uploads.map(ask));
        return offsets.every((offset) => offset > 0) ? offsets : undefined;
      },
      { what: "the server to keep a part of every upload", timeoutMs: 60_000 },
    );
  }

  /** The bytes of a complete upload: its handle is found through the link, and published. */
  async content(upload: string): Promise<Buffer> {
    const answer = await this.head(upload);
    const link = /<([^>]+)>; rel="describedby"/.exec(answer.header("link") ?? "")?.[1];
    if (link === undefined) throw new Error(`no link: ${answer.seen}`);
    const { pathname, search } = new URL(link);
    const handle = (await this.#graph.get(`${pathname}${search}`)).text("h");
    return this.#graph.content(await this.#graph.publish(handle));
  }
}
