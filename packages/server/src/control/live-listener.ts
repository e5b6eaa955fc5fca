import type { ServerResponse } from "node:http";
import { asError, UploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { LiveParts } from "./live.ts";
import type { LiveQuery, UploadJson, UploadsPage } from "./live-view.ts";

export interface LiveListenerParts extends LiveParts {
  readonly response: ServerResponse;
  readonly query: LiveQuery;
  /** Fails once the token may not watch any more. */
  readonly authorise: () => Promise<void>;
  /** How many watch: their looks together are to cost no more than one's. */
  readonly watching: () => number;
}

type EndReason = "draining" | "token" | "failed";

/** One who watches: all there is at first, then what changed, once a second at most. */
export class LiveListener {
  readonly #parts: LiveListenerParts;
  readonly #gone = new AbortController();
  /** What was sent last, as it was sent. */
  readonly #sent = new Map<string, string>();
  #rows: ReadonlyMap<string, string> = new Map();
  #samples = 0;
  #errors = 0;
  #lookAt = 0;
  #takenAt: number;
  #authorisedAt: number;

  constructor(parts: LiveListenerParts) {
    this.#parts = parts;
    const now = parts.engine.clock.monotonic();
    this.#takenAt = now;
    this.#authorisedAt = now;
    parts.response.once("close", () => {
      this.#gone.abort();
    });
  }

  /** Until the reader goes, may not watch any more, or the server stops. Never fails. */
  async run(): Promise<void> {
    const { response, log } = this.#parts;
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      // A proxy that gathers an answer would show it when it is over.
      "X-Accel-Buffering": "no",
      // A server that stops waits for connections that are kept.
      Connection: "close",
    });
    try {
      this.#send("snapshot", await this.#snapshot());
      for (;;) {
        await this.#parts.engine.clock.sleep(limits.liveMsMin, this.#gone.signal);
        if (this.#gone.signal.aborted) return;
        const reason = await this.#reasonToEnd();
        if (reason !== undefined) {
          this.#end(reason);
          return;
        }
        if (this.#isRead()) this.#send("change", await this.#change());
      }
    } catch (thrown) {
      if (this.#gone.signal.aborted) return;
      log.warn({ err: asError(thrown) }, "the live view failed");
      this.#end("failed");
    }
  }

  async #snapshot(): Promise<object> {
    const { view, node, engine } = this.#parts;
    const page = await this.#look();
    this.#rows = textsOf(page);
    const room = (await engine.room.report()) ?? null;
    const counts = await view.counts();
    this.#remember("next", page.next);
    this.#remember("counts", counts.counts);
    this.#remember("room", room);
    const stalled = view.stalled();
    this.#remember("stalled", stalled);
    return { at: this.#now(), node, ...page, ...counts, stalled, room, ...this.#news() };
  }

  async #change(): Promise<object> {
    const { view, engine } = this.#parts;
    const isDue = engine.clock.monotonic() >= this.#lookAt;
    const page = isDue ? this.#difference(await this.#look()) : {};
    const room = (await engine.room.report()) ?? null;
    const counts = await view.counts();
    const stalled = view.stalled();
    const news = Object.entries(this.#news()).filter(([, items]) => items.length > 0);
    return {
      at: this.#now(),
      ...page,
      ...(this.#remember("counts", counts.counts) ? counts : {}),
      ...(this.#remember("stalled", stalled) ? { stalled } : {}),
      ...(this.#remember("room", room) ? { room } : {}),
      ...Object.fromEntries(news),
    };
  }

  async #look(): Promise<UploadsPage> {
    const { view, query, engine, watching } = this.#parts;
    const from = engine.clock.monotonic();
    const page = await view.page(query);
    const now = engine.clock.monotonic();
    this.#lookAt = from + limits.liveLookFactor * (now - from) * watching();
    return page;
  }

  #difference(page: UploadsPage): object {
    const before = this.#rows;
    this.#rows = textsOf(page);
    const order = [...this.#rows.keys()];
    const put = page.uploads.filter(({ id }) => before.get(id) !== this.#rows.get(id));
    const isSame = put.length === 0 && order.join() === [...before.keys()].join();
    return {
      ...(isSame ? {} : { uploads: { order, put } }),
      ...(this.#remember("next", page.next) ? { next: page.next } : {}),
    };
  }

  /** Samples and errors that were not sent yet. */
  #news() {
    const { samples, errors } = this.#parts;
    const news = {
      samples: samples.since(this.#samples),
      errors: errors.since(this.#errors).reverse(),
    };
    this.#samples = samples.count;
    this.#errors = errors.count;
    return news;
  }

  /** Whether it is another than was sent last. */
  #remember(name: string, value: unknown): boolean {
    const text = JSON.stringify(value);
    if (this.#sent.get(name) === text) return false;
    this.#sent.set(name, text);
    return true;
  }

  async #reasonToEnd(): Promise<EndReason | undefined> {
    const { closing, authorise, engine } = this.#parts;
    if (closing()) return "draining";
    const now = engine.clock.monotonic();
    if (now - this.#authorisedAt < limits.liveTokenMs) return undefined;
    this.#authorisedAt = now;
    try {
      await authorise();
      return undefined;
    } catch (error) {
      return isRefusal(error) ? "token" : "failed";
    }
  }

  /** False while what was sent last is not taken; one that takes nothing for long is dropped. */
  #isRead(): boolean {
    const { response, engine } = this.#parts;
    const now = engine.clock.monotonic();
    if (!response.writableNeedDrain) this.#takenAt = now;
    else if (now - this.#takenAt >= limits.liveSilentMsMax) response.destroy();
    return !response.writableNeedDrain && !response.destroyed;
  }

  #send(event: string, data: object): void {
    this.#parts.response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #end(reason: EndReason): void {
    this.#send("end", { reason });
    this.#parts.response.end();
  }

  #now(): string {
    return new Date(this.#parts.engine.clock.now()).toISOString();
  }
}

function textsOf({ uploads }: UploadsPage): ReadonlyMap<string, string> {
  return new Map(uploads.map((upload: UploadJson) => [upload.id, JSON.stringify(upload)]));
}

function isRefusal(error: unknown): boolean {
  return error instanceof UploadError && /^(token|scope)_/.test(error.code);
}
