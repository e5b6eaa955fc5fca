import type { MeasuredProcess } from "../processes.ts";

/** A server under measurement, and the requests that make an upload with it. */
export interface Contender {
  readonly name: string;
  readonly process: MeasuredProcess;
  readonly port: number;
  /** Makes an upload of this length ready to be appended to; null where the server has no such step. */
  create(length: number): BenchRequest | null;
  /** Where the bytes of the upload go, by what `create` was answered. */
  append(created: CreatedAnswer, offset: number): BenchRequest;
  stop(): Promise<void>;
}

export interface BenchRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CreatedAnswer {
  readonly location: string | null;
  readonly body: string;
}

export interface ContenderKind {
  readonly name: string;
  /** The reason why it cannot run here, if any. */
  missing?(): Promise<string | undefined>;
  start(dataDirectory: string): Promise<Contender>;
}

/** Makes an upload over HTTP and returns where its bytes go. */
export async function createUpload(contender: Contender, length: number): Promise<BenchRequest> {
  const request = contender.create(length);
  if (request === null) return contender.append({ location: null, body: "" }, 0);
  const response = await fetch(`http://127.0.0.1:${contender.port}${request.path}`, {
    method: request.method,
    headers: request.headers,
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${contender.name}: ${response.status} ${body}`);
  return contender.append({ location: response.headers.get("location"), body }, 0);
}
