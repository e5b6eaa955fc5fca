import type { TestContext } from "vitest";

import type { HeaderLine, RawConnection } from "../../support/raw-http.ts";
import type { ServerProcessOptions } from "../../support/server-process.ts";
import { type GraphTarget, useGraphTarget } from "../graph/graph-target.ts";
import { takingUntyped } from "../untyped.ts";
import { IetfApi, type HeaderFields } from "./ietf-api.ts";
import { type InteropVersion, newest } from "./versions.ts";

const interimAnswers = takingUntyped({ extraArguments: ["--interim-answers"] });

/**
 * The server under test, as `GraphTarget` finds or starts it, seen with this draft's eyes. One that
 * the suite did not start is taken to send interim answers.
 */
export class IetfTarget {
  readonly graph: GraphTarget;

  constructor(graph: GraphTarget) {
    this.graph = graph;
  }

  /** By the rules of the newest version, and naming it. */
  get api(): IetfApi {
    return this.at(newest);
  }

  at(version: InteropVersion): IetfApi {
    const { url, token } = this.graph.api;
    return new IetfApi({ url, token, version, named: true });
  }

  /** Sends the head of a request on a connection of its own; the body is the caller's to send. */
  async begin(
    context: TestContext,
    request: { readonly method: string; readonly url: string; readonly headers: HeaderFields },
  ): Promise<RawConnection> {
    const { api } = this;
    const connection = await this.graph.connect(context);
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

/** Opens one target for the whole file and closes it at its end. */
export function useIetfTarget(options: ServerProcessOptions = interimAnswers): () => IetfTarget {
  const graph = useGraphTarget(options);
  return () => new IetfTarget(graph());
}
