import { Socket } from "node:net";
import pg from "pg";
import type { Clock } from "../base/clock.ts";
import { beat, forgetSilentNodes, leaveAll } from "./lease-queries.ts";
import { connectionOptions } from "./postgres-connection.ts";
import type { PostgresPool } from "./postgres-pool.ts";

const beatMs = 500;
/** A listening connection that does not answer a beat for so long is given up. */
const answerMsMax = 1_000;
const beatsPerLook = 2;
const pauseMsMin = 100;
const pauseMsMax = 5_000;
const silentNodesMs = 60 * 60 * 1000;

export interface PostgresNeighboursParts {
  readonly url: string;
  readonly pool: PostgresPool;
  readonly clock: Clock;
  readonly node: string;
  readonly channel: string;
  /** What another node said about an upload. */
  readonly onWord: (word: string, id: string) => void;
  /** Called now and then: words may have been missed. */
  readonly look: () => Promise<void>;
}

/** The listening connection, and what it goes over. */
interface Listener {
  readonly client: pg.Client;
  readonly socket: Socket;
}

/**
 * Shows the other nodes that this one lives, and hears what they say, on one connection of its
 * own. While that is away, beats go through the pool, and what was not heard is found by looking.
 */
export class PostgresNeighbours {
  readonly #parts: PostgresNeighboursParts;
  readonly #stopping = new AbortController();
  #listener: Listener | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(parts: PostgresNeighboursParts) {
    this.#parts = parts;
  }

  /** Resolves when the others can see this node. */
  async start(): Promise<void> {
    const { pool, node } = this.#parts;
    await pool.run(beat(node));
    await pool.run(forgetSilentNodes(silentNodesMs));
    this.#loops = Promise.all([this.#beatUntilStopped(), this.#listenUntilStopped()]);
  }

  /** Leaves nothing behind that anybody has to wait for; where that fails, the silence tells. */
  async close(): Promise<void> {
    this.#stopping.abort();
    if (this.#listener !== undefined) await this.#end(this.#listener);
    await this.#loops;
    await this.#parts.pool.run(leaveAll(this.#parts.node)).catch(() => undefined);
  }

  async #beatUntilStopped(): Promise<void> {
    for (let count = 1; !this.#isStopping(); count += 1) {
      await this.#pause(beatMs);
      // A server that is away is noticed by those who need it; the next beat tries again.
      await this.#beat().catch(() => undefined);
      if (count % beatsPerLook === 0) await this.#parts.look().catch(() => undefined);
    }
  }

  async #beat(): Promise<void> {
    if (this.#isStopping()) return;
    const statement = beat(this.#parts.node);
    const listener = this.#listener;
    if (listener !== undefined) {
      try {
        await listener.client.query({
          text: statement.sql,
          values: [...statement.parameters],
          query_timeout: answerMsMax,
        } as pg.QueryConfig); // its types leave the timeout out
        return;
      } catch {
        // Silently dead, or slow: another one is made, and this beat goes another way.
        if (this.#listener === listener) this.#listener = undefined;
        void this.#end(listener);
      }
    }
    await this.#parts.pool.run(statement);
  }

  async #listenUntilStopped(): Promise<void> {
    let pauseMs = pauseMsMin;
    while (!this.#isStopping()) {
      const socket = new Socket();
      const client = new pg.Client({
        ...connectionOptions(this.#parts.url),
        stream: () => socket,
      });
      const listener = { client, socket };
      const ended = new Promise((resolve) => client.once("end", resolve));
      client.on("error", () => undefined);
      client.on("notification", ({ payload = "" }) => {
        const [word = "", id = ""] = payload.split(" ");
        this.#parts.onWord(word, id);
      });
      try {
        await client.connect();
        await client.query({
          text: `listen ${client.escapeIdentifier(this.#parts.channel)}`,
          query_timeout: answerMsMax,
        } as pg.QueryConfig); // its types leave the timeout out
        this.#listener = listener;
        pauseMs = pauseMsMin;
        void this.#parts.look().catch(() => undefined);
        if (this.#isStopping()) await this.#end(listener);
        await ended;
      } catch {
        void this.#end(listener);
      }
      if (this.#listener === listener) this.#listener = undefined;
      await this.#pause(pauseMs);
      pauseMs = Math.min(2 * pauseMs, pauseMsMax);
    }
  }

  /** In order where the server still answers; a connection that is silently dead is cut. */
  async #end({ client, socket }: Listener): Promise<void> {
    const cancel = this.#parts.clock.after(answerMsMax, () => socket.destroy());
    await client.end().catch(() => undefined);
    cancel();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, this.#stopping.signal).catch(() => undefined);
  }
}
