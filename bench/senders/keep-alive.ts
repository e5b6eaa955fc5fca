import { connect, type Socket } from "node:net";
import type { BenchRequest } from "../contenders/contender.ts";

export interface SmallAnswer {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/** One connection that sends a request at a time: the least a client can cost in JavaScript. */
export class KeepAliveConnection {
  readonly #socket: Socket;
  #received = "";
  #waiting: ((answer: SmallAnswer | Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#parse();
    });
    const lost = (cause?: unknown): void => {
      this.#waiting?.(new Error(`the connection was lost after: ${this.#received}`, { cause }));
    };
    socket.on("error", lost);
    socket.on("close", () => {
      lost();
    });
  }

  static async open(port: number): Promise<KeepAliveConnection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new KeepAliveConnection(socket);
  }

  async send(request: BenchRequest, body = ""): Promise<SmallAnswer> {
    const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const answered = new Promise<SmallAnswer>((resolve, reject) => {
      this.#waiting = (answer) => {
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
    });
    this.#socket.write(
      `${request.method} ${request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
      "latin1",
    );
    const answer = await answered;
    if (answer.status > 299) throw new Error(`${answer.status}: ${answer.body}`);
    return answer;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #parse(): void {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = this.#bodyLength(head, end + 4);
    if (length === undefined || this.#received.length < end + 4 + length) return;
    const body = this.#received.slice(end + 4, end + 4 + length);
    this.#received = this.#received.slice(end + 4 + length);
    const status = Number(head.slice(9, 12));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.({ status, location: /^location: (.+)$/im.exec(head)?.[1] ?? null, body });
  }

  /** Chunked bodies are taken with their framing: these answers are empty or not looked into. */
  #bodyLength(head: string, from: number): number | undefined {
    if (!/^transfer-encoding: chunked/im.test(head)) {
      return Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    }
    const last = "0\r\n\r\n";
    const at = this.#received.indexOf(last, from);
    return at < 0 ? undefined : at + last.length - from;
  }
}
