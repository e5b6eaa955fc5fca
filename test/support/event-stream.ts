import { within } from "./eventually.ts";

export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Server-Sent Events, read as a page would that has to send a header. */
export class EventStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #abort: AbortController;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor(body: ReadableStream<Uint8Array>, abort: AbortController) {
    this.#reader = body.getReader();
    this.#abort = abort;
  }

  /** Fails with the answer's text when it is not 200. */
  static async open(url: string, token: string): Promise<EventStream> {
    const abort = new AbortController();
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, signal: abort.signal });
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || response.body === null || !type.startsWith("text/event-stream")) {
      throw new Error(`${response.status} ${type} ${await response.text()}`);
    }
    return new EventStream(response.body, abort);
  }

  /** The next event; undefined when the stream is over. */
  async next(): Promise<StreamEvent | undefined> {
    for (;;) {
      const [block, ...rest] = this.#text.split("\n\n");
      if (block !== undefined && rest.length > 0) {
        this.#text = rest.join("\n\n");
        return parseEvent(block);
      }
      const { done, value } = await within(this.#reader.read(), { what: "an event" });
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The next event for which `isWanted` holds; an error when the stream ends first. */
  async until(isWanted: (event: StreamEvent) => boolean): Promise<StreamEvent> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw new Error("the stream ended");
      if (isWanted(event)) return event;
    }
  }

  close(): void {
    this.#abort.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function parseEvent(block: string): StreamEvent {
  const fields = new Map(
    block.split("\n").map((line) => {
      const [name = "", ...value] = line.split(": ");
      return [name, value.join(": ")] as const;
    }),
  );
  return { event: fields.get("event") ?? "", data: JSON.parse(fields.get("data") ?? "null") };
}
