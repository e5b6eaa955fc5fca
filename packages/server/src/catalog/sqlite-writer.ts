import { Worker } from "node:worker_threads";
import { CatalogFullError } from "./catalog.ts";
import type {
  NumberedRequest,
  Step,
  WriteCondition,
  WriterReply,
  WriterRequest,
} from "./sqlite-messages.ts";

export type WriterResult =
  { readonly kind: "done"; readonly rows: readonly unknown[] } | { readonly kind: "stale" };

interface Waiting {
  readonly resolve: (result: WriterResult) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's side of the writer worker. */
export class SqliteWriter {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #outgoing: WriterRequest[] = [];
  #lastNumber = 0;
  #failure: Error | undefined;

  private constructor(worker: Worker, onFailure: (error: Error) => void) {
    this.#worker = worker;
    worker.on("message", (replies: readonly WriterReply[]) => {
      for (const reply of replies) this.#settle(reply);
    });
    const fail = (error: Error): void => {
      this.#failure = error;
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
      onFailure(error);
    };
    worker.on("error", (error) => {
      fail(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on("exit", (code) => {
      if (code !== 0 || this.#waiting.size > 0) fail(new Error("the catalog's writer ended"));
    });
  }

  /**
   * Starts the worker and waits until the database is open.
   * @param onFailure called when the outcome of a commit is unknown: the process must end.
   */
  static async open(path: string, onFailure: (error: Error) => void): Promise<SqliteWriter> {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
      workerData: path,
    });
    const opened = Promise.withResolvers<undefined>();
    worker.on("error", opened.reject);
    worker.once("message", ([reply]: readonly WriterReply[]) => {
      if (reply?.kind === "opened") opened.resolve(undefined);
      else if (reply?.kind === "failed_to_open") opened.reject(new Error(reply.message));
    });
    await opened.promise;
    worker.off("error", opened.reject);
    return new SqliteWriter(worker, onFailure);
  }

  change(steps: readonly Step[], only?: WriteCondition): Promise<WriterResult> {
    return this.#ask((number) => ({ kind: "change", number, steps, only }));
  }

  take(id: string, fence: string, select: Step): Promise<WriterResult> {
    return this.#ask((number) => ({ kind: "take", number, id, fence, select }));
  }

  /** Makes this the upload's fence before anything that is asked later. */
  fence(id: string, fence: string): void {
    if (this.#failure === undefined) this.#post({ kind: "fence", id, fence });
  }

  /** Takes effect before anything that is asked later. */
  release(id: string, fence: string): void {
    if (this.#failure === undefined) this.#post({ kind: "release", id, fence });
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    await this.#ask((number) => ({ kind: "close", number }));
    await ended;
  }

  #ask(make: (number: number) => NumberedRequest): Promise<WriterResult> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#lastNumber += 1;
    const request = make(this.#lastNumber);
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.number, { resolve, reject });
      this.#post(request);
    });
  }

  /** Whatever one turn of the event loop asks for goes over in one message: each wakes a thread. */
  #post(request: WriterRequest): void {
    this.#outgoing.push(request);
    if (this.#outgoing.length > 1) return;
    setImmediate(() => {
      const requests = this.#outgoing;
      this.#outgoing = [];
      this.#worker.postMessage(requests);
    });
  }

  #settle(reply: WriterReply): void {
    if (reply.kind === "opened" || reply.kind === "failed_to_open") return;
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (reply.kind === "done") waiting?.resolve({ kind: "done", rows: reply.rows });
    else if (reply.kind === "stale") waiting?.resolve({ kind: "stale" });
    else if (reply.kind === "full") waiting?.reject(new CatalogFullError());
    else waiting?.reject(new Error(reply.message));
  }
}
