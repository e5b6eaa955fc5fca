import { setTimeout as sleep } from "node:timers/promises";
import { describeAnswer, jsonOf, type Answer } from "./answer.ts";
import { Line, type Place, type Reply, type RequestHead } from "./line.ts";

export interface DeploymentOptions extends Place {
  readonly appId: string;
  readonly token: string;
  /** A media type that the app takes. */
  readonly type: string;
  /** How long a silence may be that the proxy should bear. */
  readonly patienceMs: number;
  /** An origin from which pages are to upload. */
  readonly origin: string;
}

export interface Ask extends RequestHead {
  readonly body?: Uint8Array | string;
}

/** A published file that is there for the probes. */
export interface Sample {
  readonly fileId: string;
  readonly bytes: Buffer;
  /** When the server says that it was made, and when we know it was. */
  readonly createdAt: Date;
  readonly askedAt: Date;
}

/** Every answer but those that a probe waits for in its own way must come within this time. */
export const answerMsMax = 20_000;
const version = "v21.0";

/** The deployment as it is seen through its proxy, and what was left on it so far. */
export class Deployment {
  readonly options: DeploymentOptions;
  /** Whether what is put there can be taken away again; nothing is put there otherwise. */
  mayRemove = true;
  readonly #uploads = new Set<string>();
  readonly #files = new Set<string>();
  #open: Promise<string> | undefined;
  #sample: Promise<Sample> | undefined;

  constructor(options: DeploymentOptions) {
    this.options = options;
  }

  /** Without a slash at its end. */
  get url(): string {
    return this.options.url.href.replace(/\/+$/, "");
  }

  get authorization(): { readonly Authorization: string } {
    return { Authorization: `OAuth ${this.options.token}` };
  }

  /** The request's target for what follows the version. */
  path(rest: string): string {
    return `${this.options.url.pathname.replace(/\/+$/, "")}/${version}/${rest}`;
  }

  /** The same for what is below the address that tus and the IETF's protocol share. */
  standardPath(rest = ""): string {
    return `${this.options.url.pathname.replace(/\/+$/, "")}/uploads${rest}`;
  }

  /** Where these protocols have an upload. */
  async standardPathOf(id: string): Promise<string> {
    const path = `${this.path(id)}&fields=url`;
    const { url } = jsonOf(await this.ask({ method: "GET", path }));
    if (typeof url !== "string") throw new Error("the server told no address of an upload");
    return this.standardPath(/\/[^/]*$/.exec(url)?.[0]);
  }

  /** What the server tells of these protocols; undefined where something else answers. */
  async standardOptions(): Promise<Answer | undefined> {
    const answer = await this.ask({ method: "OPTIONS", path: this.standardPath() });
    return answer.headers.has("accept-patch") ? answer : undefined;
  }

  open(): Promise<Line> {
    return Line.open(this.options);
  }

  /** One request on a connection of its own, with the token; an error when it gets no answer. */
  async ask({ body = "", headers, ...head }: Ask): Promise<Answer> {
    const line = await this.open();
    try {
      const length =
        head.method === "POST" ? { "Content-Length": String(Buffer.byteLength(body)) } : {};
      await line.sendHead({ ...head, headers: { ...this.authorization, ...length, ...headers } });
      if (body.length > 0) await line.write(body);
      return answerOf(await line.reply(answerMsMax), `${head.method} request`);
    } finally {
      line.close();
    }
  }

  /** A new upload of so many bytes: its id. */
  async begin(length: number): Promise<string> {
    if (!this.mayRemove) throw new Error("DELETE does not reach the server: nothing is put there");
    const query = new URLSearchParams({
      file_name: "hawser-doctor",
      file_length: String(length),
      file_type: this.options.type,
    });
    const path = this.path(`${this.options.appId}/uploads?${query.toString()}`);
    const answer = await this.ask({ method: "POST", path });
    const { id } = jsonOf(answer);
    if (typeof id !== "string") throw new Error(`no upload begun: ${describeAnswer(answer)}`);
    this.#uploads.add(id);
    return id;
  }

  /** An upload that is open, for probes that only ask. */
  anUpload(): Promise<string> {
    this.#open ??= this.begin(16);
    return this.#open;
  }

  /** The head of an append; `file-offset` passes where `file_offset` does not. */
  appendHead(id: string, offset: number, length: number): RequestHead {
    return {
      method: "POST",
      path: this.path(id),
      headers: {
        ...this.authorization,
        "Content-Type": "application/octet-stream",
        "Content-Length": String(length),
        "file-offset": String(offset),
      },
    };
  }

  async offset(id: string): Promise<number> {
    const answer = await this.ask({ method: "GET", path: this.path(id) });
    const { file_offset: offset } = jsonOf(answer);
    if (typeof offset === "number") return offset;
    throw new Error(`no offset told: ${describeAnswer(answer)}`);
  }

  /** The offset as soon as it is above `from`; `from` when it stays there for so long. */
  async offsetAbove(id: string, from: number, waitMs: number): Promise<number> {
    const giveUpAt = performance.now() + waitMs;
    for (;;) {
      const offset = await this.offset(id);
      if (offset > from || performance.now() > giveUpAt) return offset;
      await sleep(200, undefined, { signal: this.options.signal });
    }
  }

  /** Publishes an upload that is complete: its file's id. */
  async publish(id: string, handle: string): Promise<string> {
    const answer = await this.askPublish(handle);
    const { id: fileId } = jsonOf(answer);
    if (typeof fileId !== "string") throw new Error(`not published: ${describeAnswer(answer)}`);
    this.#uploads.delete(id);
    this.#files.add(fileId);
    return fileId;
  }

  askPublish(handle: string): Promise<Answer> {
    return this.ask({
      method: "POST",
      path: this.path(`${this.options.appId}/files`),
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ handle, name: "hawser-doctor" }),
    });
  }

  /** A file that all probes may look at. */
  sample(): Promise<Sample> {
    this.#sample ??= this.#makeSample();
    return this.#sample;
  }

  /** Cancels and deletes what is left; what could not be removed. */
  async cleanUp(): Promise<string[]> {
    const left: string[] = [];
    for (const id of [...this.#uploads, ...this.#files]) {
      const answer = await this.ask({ method: "DELETE", path: this.path(id) }).catch(String);
      const isGone = typeof answer !== "string" && [200, 404, 410].includes(answer.status);
      if (!isGone) left.push(id);
    }
    this.#uploads.clear();
    this.#files.clear();
    return left;
  }

  async #makeSample(): Promise<Sample> {
    const bytes = sampleBytes(64 * 1024);
    const id = await this.begin(bytes.length);
    const { path, headers = {} } = this.appendHead(id, 0, bytes.length);
    const answer = await this.ask({ method: "POST", path, headers, body: bytes });
    const { h: handle } = jsonOf(answer);
    if (typeof handle !== "string") throw new Error(`not uploaded: ${describeAnswer(answer)}`);
    const askedAt = new Date();
    const fileId = await this.publish(id, handle);
    const shown = jsonOf(await this.ask({ method: "GET", path: this.path(fileId) }));
    return { fileId, bytes, createdAt: new Date(String(shown.created_time)), askedAt };
  }
}

/** The answer, or an error that says what came instead. */
export function answerOf(reply: Reply, what: string): Answer {
  if (reply.kind === "answer") return reply.answer;
  const seconds = (reply.waitedMs / 1000).toFixed(1);
  throw new Error(
    reply.kind === "closed"
      ? `the connection was closed without an answer to the ${what}`
      : `no answer to the ${what} in ${seconds} s`,
  );
}

/** Begins as a PDF does; compressible, and no two places are alike. */
export function sampleBytes(length: number): Buffer {
  const lines: string[] = ["%PDF-1.7\n"];
  for (let line = 0; line * 32 < length; line += 1) {
    lines.push(`% hawser doctor, line ${String(line).padStart(9, "0")}\n`);
  }
  return Buffer.from(lines.join("")).subarray(0, length);
}
