import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { type HeaderLine, type RawAddress, RawConnection } from "../../support/raw-http.ts";
import type { ServerProcessOptions } from "../../support/server-process.ts";
import { GraphTarget } from "../graph/graph-target.ts";
import { takingUntyped } from "../untyped.ts";
import { expectTaken } from "./expect-answer.ts";
import { givenUrl } from "./given-server.ts";
import { type IetfAnswer, IetfApi, type HeaderFields } from "./ietf-api.ts";
import { type InteropVersion, newest } from "./versions.ts";

const interimAnswers = takingUntyped({ extraArguments: ["--interim-answers"] });

/**
 * The server under test. HAWSER_TEST_IETF_URL is where any server of this draft creates uploads,
 * with HAWSER_TEST_TOKEN if it wants a bearer token. Without it the target is that of the Graph
 * suite: a server of its own for each file, or the one that HAWSER_TEST_URL names, which is taken
 * to send interim answers. Cases that need more than what is given say why they are skipped.
 */
export class IetfTarget {
  /** By the rules of the newest version, and naming it. */
  readonly api: IetfApi;
  readonly #graph: GraphTarget | undefined;

  private constructor(api: IetfApi, graph: GraphTarget | undefined) {
    this.api = api;
    this.#graph = graph;
  }

  static async open(options: ServerProcessOptions): Promise<IetfTarget> {
    const version = { version: newest, named: true };
    if (givenUrl !== undefined) {
      const token = process.env.HAWSER_TEST_TOKEN;
      return new IetfTarget(new IetfApi({ url: new URL(givenUrl), token, ...version }), undefined);
    }
    const graph = await GraphTarget.open(options);
    const { api } = graph;
    const url = new URL(api.pathOf("/uploads"), api.url);
    return new IetfTarget(new IetfApi({ url, token: api.token, ...version }), graph);
  }

  async close(): Promise<void> {
    await this.#graph?.close();
  }

  at(version: InteropVersion): IetfApi {
    return this.api.at(version);
  }

  /** Skips the case where the server need not be this project's. */
  hawser(context: TestContext): GraphTarget {
    if (this.#graph !== undefined) return this.#graph;
    return context.skip("is about what the draft leaves to a server");
  }

  /** Skips the case where the server sends no interim answers, which it only should. */
  async informing(context: TestContext): Promise<void> {
    if (this.#graph !== undefined) return;
    const { interim } = await this.api.create({ complete: true });
    if (interim.length === 0) context.skip("needs a server that sends interim answers");
  }

  /** The URL of an upload that never was. */
  async nowhere(): Promise<string> {
    const url = this.api.urlOf(await this.api.begun()).href;
    return `${url.slice(0, -4)}${url.endsWith("ffff") ? "0000" : "ffff"}`;
  }

  /** What a complete upload holds: as it is published here, elsewhere as its Repr-Digest has it. */
  async expectContent(url: string, bytes: Uint8Array): Promise<void> {
    const graph = this.#graph?.api;
    const told = await this.api.head(url, { "Want-Repr-Digest": "sha-256=10" });
    expect(told.offset).toBe(bytes.length);
    if (graph === undefined) {
      const digest = told.header("repr-digest");
      if (digest !== undefined) expect(digest).toContain(sha256Field(bytes));
      return;
    }
    const file = await graph.publish((await graph.status(told.graphId, "h")).text("h"));
    expect((await graph.content(file)).equals(bytes)).toBe(true);
  }

  /**
   * Goes on to the end after requests that were cut, of which the last may only arrive meanwhile
   * where it went to another node. The offset never falls below `offsetMin`.
   */
  async completeAfterCut(url: string, whole: Uint8Array, offsetMin = 0): Promise<void> {
    const { api } = this;
    const goOn = async (): Promise<true | undefined> => {
      const status = await api.head(url);
      expect(api.completeness(status), status.shown).toBe(false);
      expect(status.offset).toBeGreaterThanOrEqual(offsetMin);
      const rest = { bytes: whole.subarray(status.offset), complete: true };
      const answer = await api.append(url, status.offset, rest);
      // 503: what holds the upload has not let go yet.
      if (answer.status === 409 || answer.status === 503) return undefined;
      expectTaken(answer, 201);
      return true;
    };
    await eventually(goOn, { what: "the rest to be taken", timeoutMs: 60_000 });
  }

  /** What the server says while an append is being sent, where it can be asked without ending that. */
  async offsetAside(answer: Pick<IetfAnswer, "graphId">): Promise<number | undefined> {
    return this.#graph === undefined ? undefined : await this.#graph.api.offset(answer.graphId);
  }

  /** Where raw bytes can be sent; skips the case when the server speaks TLS. */
  rawAddress(context: TestContext): RawAddress {
    if (this.#graph !== undefined) return this.#graph.rawAddress(context);
    const { protocol, hostname, port } = this.api.url;
    if (protocol !== "http:") context.skip("needs a server reached without TLS");
    return { host: hostname, port: Number(port === "" ? "80" : port) };
  }

  async connect(context: TestContext): Promise<RawConnection> {
    return await RawConnection.open(this.rawAddress(context));
  }

  /** Sends the head of a request on a connection of its own; the body is the caller's to send. */
  async begin(
    context: TestContext,
    request: { readonly method: string; readonly url: string; readonly headers: HeaderFields },
  ): Promise<RawConnection> {
    const { api } = this;
    const connection = await this.connect(context);
    const fields: HeaderFields = { ...api.authorization, ...request.headers };
    const headers: readonly HeaderLine[] = Object.entries(fields);
    const path = api.urlOf(request.url).pathname;
    await connection.sendHead({ method: request.method, path, headers });
    return connection;
  }

  /** Begins an append by hand. */
  async beginAppend(
    context: TestContext,
    append: {
      readonly url: string;
      readonly offset: number;
      readonly complete: boolean;
      readonly headers: HeaderFields;
    },
  ): Promise<RawConnection> {
    const { api } = this;
    const { url, offset, complete, headers } = append;
    const fields = { ...api.interop, ...api.patchType, ...api.flag(complete) };
    return await this.begin(context, {
      method: "PATCH",
      url,
      headers: { ...fields, "Upload-Offset": `${offset}`, ...headers },
    });
  }
}

function sha256Field(bytes: Uint8Array): string {
  return `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;
}

/** Opens one target for the whole file and closes it at its end. */
export function useIetfTarget(options: ServerProcessOptions = interimAnswers): () => IetfTarget {
  let target: IetfTarget | undefined;
  beforeAll(async () => {
    target = await IetfTarget.open(options);
  });
  afterAll(async () => {
    await target?.close();
  });
  return () => {
    if (target === undefined) throw new Error("the target is open only while tests run");
    return target;
  };
}
