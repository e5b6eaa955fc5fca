import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { RawAddress } from "./raw-http.ts";
import { SeededRandom } from "./seeded.ts";
import { writeTaken } from "./write-taken.ts";

/**
 * What happens once a direction has carried its bytes:
 * `close` ends both sides in order, `reset` sends both a TCP reset, `half-close` ends this direction
 * and swallows what still comes, `stall` keeps everything open and carries nothing more.
 */
export type FaultKind = "close" | "reset" | "half-close" | "stall";

export interface DirectionFaults {
  /** Carry exactly this many bytes, then let `fault` happen. Unlimited when left out. */
  readonly afterBytes?: number;
  readonly fault?: FaultKind;
  /** Hold every slice back this long. */
  readonly delayMs?: number;
  /** Pass at most this many bytes on at a time. */
  readonly sliceLength?: number;
}

export interface ConnectionFaults {
  readonly toServer?: DirectionFaults;
  readonly toClient?: DirectionFaults;
}

/** Decides for each connection, counted from 0, what is to go wrong with it. */
export type FaultPlan = (connectionIndex: number) => ConnectionFaults;

export interface ConnectionRecord {
  readonly index: number;
  readonly faults: ConnectionFaults;
  toServerBytes: number;
  toClientBytes: number;
  /** The fault that happened, if one did. */
  happened: FaultKind | undefined;
}

interface Link {
  readonly record: ConnectionRecord;
  readonly client: Socket;
  readonly server: Socket;
}

interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  readonly faults: DirectionFaults;
  readonly count: (length: number) => void;
}

const faultless: ConnectionFaults = {};

/** A TCP proxy in front of a real server, whose connections fail as the plan says. */
export class TcpProxy {
  /** Every connection so far, for a test that asks what was carried. */
  readonly connections: ConnectionRecord[] = [];
  readonly #listener: Server;
  readonly #links = new Set<Link>();
  #target: RawAddress;
  #plan: FaultPlan;

  private constructor(listener: Server, target: RawAddress, plan: FaultPlan) {
    this.#listener = listener;
    this.#target = target;
    this.#plan = plan;
    listener.on("connection", (client) => {
      this.#accept(client);
    });
  }

  static async start(target: RawAddress, plan: FaultPlan = () => faultless): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(listener, target, plan);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return proxy;
  }

  get address(): RawAddress {
    const { port } = this.#listener.address() as AddressInfo; // a TCP server always has one
    return { host: "127.0.0.1", port };
  }

  get url(): string {
    return `http://127.0.0.1:${this.address.port}`;
  }

  /** For the connections from now on. Their index goes on counting. */
  setPlan(plan: FaultPlan): void {
    this.#plan = plan;
  }

  /** Where the connections from now on lead, for a server that came back at another port. */
  setTarget(target: RawAddress): void {
    this.#target = target;
  }

  /** Resets everything that is open now, as a rebooting router would. */
  resetAll(): void {
    for (const link of this.#links) fail(link, "reset");
  }

  /** Whatever is open now stays so and carries nothing more, as where a cable was pulled. */
  stallAll(): void {
    for (const link of this.#links) fail(link, "stall");
  }

  async close(): Promise<void> {
    this.#listener.close();
    for (const link of this.#links) fail(link, "close");
    await once(this.#listener, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket): void {
    const index = this.connections.length;
    const faults = this.#plan(index);
    const record = { index, faults, toServerBytes: 0, toClientBytes: 0, happened: undefined };
    this.connections.push(record);
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link: Link = { record, client, server };
    this.#links.add(link);
    for (const socket of [client, server]) {
      // An error is always followed by a close, and the close is what counts here.
      socket.on("error", () => undefined);
      socket.once("close", () => {
        // A stall leaves the other side open, maybe for ever: it must still be found by close().
        if (client.destroyed && server.destroyed) this.#links.delete(link);
        carryClosing(link, socket);
      });
    }
    void carry(link, {
      from: client,
      to: server,
      faults: faults.toServer ?? {},
      count: (length) => (link.record.toServerBytes += length),
    });
    void carry(link, {
      from: server,
      to: client,
      faults: faults.toClient ?? {},
      count: (length) => (link.record.toClientBytes += length),
    });
  }
}

/** A side that is gone takes the other one along, unless a stall keeps up appearances. */
function carryClosing(link: Link, closed: Socket): void {
  if (link.record.happened === "stall") return;
  const other = closed === link.client ? link.server : link.client;
  if (closed.errored !== null) other.resetAndDestroy();
  else if (!other.destroyed) other.destroySoon();
}

function fail(link: Link, kind: FaultKind): void {
  link.record.happened = kind;
  for (const socket of [link.client, link.server]) {
    if (kind === "reset") socket.resetAndDestroy();
    if (kind === "close") socket.destroy();
  }
}

async function carry(link: Link, direction: Direction): Promise<void> {
  try {
    await carryUntilFault(link, direction);
  } catch {
    // One of the sockets broke: its close handler ends the other.
  }
}

async function carryUntilFault(link: Link, { from, to, faults, count }: Direction): Promise<void> {
  let left = faults.afterBytes ?? Infinity;
  // Leaving the loop must leave the socket alone: a stall and a half-close keep it open.
  const chunks = from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>; // no encoding
  for await (const chunk of chunks) {
    if (link.record.happened === "stall") return;
    for (const slice of slices(chunk.subarray(0, Math.min(left, chunk.length)), faults)) {
      if (faults.delayMs !== undefined) await sleep(faults.delayMs);
      await pass(to, slice);
      count(slice.length);
      left -= slice.length;
    }
    if (left > 0) continue;
    meet(link, { from, to, kind: faults.fault ?? "close" });
    return;
  }
  to.end();
}

function meet(link: Link, { from, to, kind }: { from: Socket; to: Socket; kind: FaultKind }): void {
  fail(link, kind);
  if (kind !== "half-close") return;
  to.end();
  from.resume();
}

function* slices(bytes: Buffer, { sliceLength }: DirectionFaults): Generator<Buffer> {
  const length = sliceLength ?? Math.max(1, bytes.length);
  for (let position = 0; position < bytes.length; position += length) {
    yield bytes.subarray(position, position + length);
  }
}

async function pass(to: Socket, bytes: Buffer): Promise<void> {
  if (to.destroyed || !to.writable) return;
  await writeTaken(to, bytes);
}

export interface SeededFaults {
  /** Faults fall after 0 up to this many bytes towards the server. */
  readonly afterBytesMax: number;
  readonly kinds?: readonly FaultKind[];
  /** How many connections fail before one is left in peace. */
  readonly failures: number;
}

/** A plan that is the same for the same seed: so many cut connections, then a good one. */
export function seededPlan(seed: number, options: SeededFaults): FaultPlan {
  const kinds = options.kinds ?? ["close", "reset", "half-close"];
  return (index) => {
    if (index >= options.failures) return faultless;
    // A generator for each connection: plans do not depend on the order connections are asked in.
    const random = new SeededRandom(seed * 0x10001 + index);
    const afterBytes = random.integer(0, options.afterBytesMax);
    const sliceLength = random.pick([1 << 10, 1 << 14, 1 << 16]);
    return { toServer: { afterBytes, sliceLength, fault: random.pick(kinds) } };
  };
}
