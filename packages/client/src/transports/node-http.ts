import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Exchange } from "./node-exchange.ts";
import type {
  DownloadTransport,
  Transport,
  TransportAnswer,
  TransportDownload,
  TransportRequest,
} from "./transport.ts";
import { answerBytesMax, answerTooLong } from "./transport.ts";

/** HTTP/1.1 over node:http and node:https with connections kept alive. */
export class NodeHttpTransport implements Transport, DownloadTransport {
  readonly #plain = new HttpAgent({ keepAlive: true, scheduling: "lifo" });
  readonly #secure = new HttpsAgent({ keepAlive: true, scheduling: "lifo" });

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { status, headers, body } = await this.receive(request);
    return { status, headers, text: await readText(body) };
  }

  async receive(request: TransportRequest): Promise<TransportDownload> {
    const agent = request.url.startsWith("https:") ? this.#secure : this.#plain;
    return await new Exchange(request, agent).run();
  }

  /** Closes idle connections; without it they keep a process alive for a few seconds at most. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw answerTooLong();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
