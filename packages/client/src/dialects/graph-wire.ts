import type { TransportBody, TransportRequest } from "../transports/transport.ts";
import type { Json } from "./answer.ts";
import { isSuccess, readJson } from "./answer.ts";
import type { DialectParts } from "./dialect.ts";
import { readRefusal } from "./graph-answer.ts";
import { withToken } from "./wire.ts";

export interface GraphCall {
  readonly method: TransportRequest["method"];
  /** After the version, with its query; pasted as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: TransportBody;
  readonly onSent?: ((sent: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Connected = Pick<DialectParts, "connection" | "tokens">;

/** One call to a Graph server, sent by `send`, which throws what a refusal means. */
export function exchangeGraph<T>(
  parts: Connected,
  { path, headers = {}, signal = new AbortController().signal, ...call }: GraphCall,
  send: (request: TransportRequest) => Promise<T>,
): Promise<T> {
  const { url, version } = parts.connection;
  // The guide's scheme; the upload node takes a token from nowhere but the header.
  const addressed = { ...call, url: `${url}/${version}/${path}`, headers, signal };
  return withToken(parts, { ...addressed, scheme: "OAuth" }, send);
}

/** The JSON object of a 2xx answer; anything else is thrown. */
export function callGraph(parts: DialectParts, call: GraphCall): Promise<Json> {
  return exchangeGraph(parts, call, async (request) => {
    const answer = await parts.transport.send(request);
    if (isSuccess(answer.status)) return readJson(answer);
    throw readRefusal(answer);
  });
}
