import { setTimeout as sleep } from "node:timers/promises";

import { GraphPeer, type Reachable } from "../fault/graph-peer.ts";
import { graphIdIn } from "../support/dialect-answer.ts";
import { type Dialect, dialects, uuidOf } from "../support/dialect-wire.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";

const KiB = 1024;
const triesMax = 100;
/** Taken over from another node, or not let go of yet: go on from where it stands. */
const statusesToMeet: ReadonlySet<number> = new Set([412, 503]);

/** Who begins an upload, who goes on with it, and who ends it. */
export type Order = readonly [creator: Dialect, middle: Dialect, finisher: Dialect];

interface Part {
  readonly dialect: Dialect;
  readonly from: number;
  readonly to: number;
}

/** Every order of the dialects, each of which may come more than once. */
export const orders: readonly Order[] = dialects.flatMap((creator) =>
  dialects.flatMap((middle) => dialects.map((finisher): Order => [creator, middle, finisher])),
);

/** One upload that goes on in another dialect twice, and whose connection is cut in every part. */
export class SwitchTrial {
  readonly #server: Reachable;
  readonly #peer: GraphPeer;
  readonly #content: Buffer;
  readonly #ends: readonly [number, number, number];

  constructor(server: Reachable, seed: number) {
    const random = new SeededRandom(seed);
    const part = (): number => random.integer(120 * KiB, 400 * KiB);
    const [first, second, third] = [part(), part(), part()];
    this.#server = server;
    this.#peer = new GraphPeer(server);
    this.#ends = [first, first + second, first + second + third];
    this.#content = patternBytes({ seed, length: first + second + third });
  }

  /** Fails unless every byte is there and all dialects tell the same of it. */
  async run(order: Order): Promise<void> {
    const id = await this.#peer.createOrFail(this.#content.length, order[0]);
    let from = 0;
    for (const [index, to] of this.#ends.entries()) {
      const dialect = order[index] ?? "graph";
      await this.#cut(id, { dialect, from, to: from + Math.ceil((to - from) / 2) });
      await this.#goOn(id, { dialect, to });
      from = to;
    }
    const handle = await this.#commonHandle(id);
    const stored = await this.#peer.download(handle);
    if (!stored.equals(this.#content)) throw new Error("what is stored is not what was sent");
  }

  /** Announces all that is left, and is gone on the way: what had come is kept. */
  async #cut(id: string, { dialect, from, to }: Part): Promise<void> {
    const { length } = this.#content;
    const head = { id, dialect, from, length: length - from, isLast: true };
    const connection = await RawConnection.open(this.#peer.address);
    await connection.write(this.#peer.appendHead(head));
    await connection.write(this.#content.subarray(from, to));
    connection.close();
    const isKept = async (): Promise<true | undefined> => {
      // In Graph, which lets the append be: the others' question may end it before a byte came.
      const offset = await this.#peer.offset(id, "graph").catch(() => from);
      return offset > from || undefined;
    };
    await eventually(isKept, { what: "what came before the cut to be kept" });
  }

  /** From where this dialect says that it stands. */
  async #goOn(id: string, { dialect, to }: Omit<Part, "from">): Promise<void> {
    const isLast = to === this.#content.length;
    for (let tries = 0; tries < triesMax; tries += 1) {
      const from = await this.#peer.offset(id, dialect);
      const bytes = this.#content.subarray(from, to);
      const answer = await this.#peer.append({ id, dialect, from, bytes, isLast });
      if (answer?.status === 200) {
        const { file_offset: told, h } = answer.json;
        if (isLast ? typeof h === "string" : told === to) return;
        throw new Error(`${dialect} answered an append up to ${to} with ${JSON.stringify(answer)}`);
      }
      if (!statusesToMeet.has(answer?.status ?? 503)) {
        throw new Error(`${dialect} cannot go on from ${from}: ${JSON.stringify(answer)}`);
      }
      await sleep(20);
    }
    throw new Error(`${triesMax} tries of ${dialect} did not reach ${to}`);
  }

  /** The handle that every dialect tells, in its own way. */
  async #commonHandle(id: string): Promise<string> {
    const told = [
      await this.#peer.handle(id),
      await this.#linkedHandle(id),
      await this.#handleInJson(id),
    ];
    const [handle] = told;
    const isSame = told.every((each) => each === handle);
    if (handle === undefined || !isSame) throw new Error(`not one handle: ${told.join(", ")}`);
    for (const dialect of dialects) {
      const offset = await this.#peer.offset(id, dialect);
      if (offset !== this.#content.length) throw new Error(`${dialect} tells ${offset} in the end`);
    }
    return handle;
  }

  /** tus has no word for it, but a link to who has. */
  async #linkedHandle(id: string): Promise<string | undefined> {
    const response = await this.#fetch(this.#urlOf(id), {
      method: "HEAD",
      headers: { "Tus-Resumable": "1.0.0" },
    });
    const link = response.headers.get("link") ?? "";
    if (graphIdIn(link) !== id) throw new Error(`a link to another upload: ${link}`);
    return await handleIn(await this.#fetch(/<([^>]*)>/.exec(link)?.[1] ?? ""));
  }

  async #handleInJson(id: string): Promise<string | undefined> {
    return await handleIn(await this.#fetch(this.#urlOf(id)));
  }

  #urlOf(id: string): string {
    return `${this.#server.url}/uploads/${uuidOf(id)}`;
  }

  async #fetch(url: string, { headers = {}, ...more }: FetchWords = {}): Promise<Response> {
    const authorization = { Authorization: `Bearer ${this.#server.token}` };
    const response = await fetch(url, { ...more, headers: { ...authorization, ...headers } });
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return response;
  }
}

interface FetchWords {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function handleIn(response: Response): Promise<string | undefined> {
  const value: unknown = await response.json();
  if (typeof value !== "object" || value === null || !("h" in value)) return undefined;
  return String(value.h);
}
