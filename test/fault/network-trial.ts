import { expect } from "vitest";

import { dialects } from "../support/dialect-wire.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type ConnectionFaults, TcpProxy } from "../support/tcp-proxy.ts";
import { GraphPeer } from "./graph-peer.ts";
import type { NetworkCase, RequestFault } from "./network-cases.ts";
import { TrackedUpload } from "./tracked-upload.ts";

interface Turn {
  readonly from: number;
  /** No connection of this upload came before. */
  readonly first: boolean;
}

/** Upload after upload through a line that fails as the cases say. */
export class NetworkTrial {
  readonly #peer: GraphPeer;
  readonly #proxy: TcpProxy;
  readonly #stalled: RawConnection[] = [];

  constructor(peer: GraphPeer, proxy: TcpProxy) {
    this.#peer = peer;
    this.#proxy = proxy;
  }

  async run({ length, faults }: NetworkCase, seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    const content = patternBytes({ seed, length });
    const upload = await TrackedUpload.create(this.#peer, content, () => random.pick(dialects));
    let stalled = false;
    let first = true;
    for (const fault of faults) {
      const { offset } = await upload.check();
      if (offset === length) break;
      await this.#append(upload, fault, { from: offset, first });
      await upload.check();
      first = false;
      stalled ||= fault.kind === "stall";
    }
    const statuses = await upload.finish();
    // Whoever stalls is asked to let go and does so at once: nobody is told to come again later.
    if (stalled) expect(statuses, "the takeover had to wait").not.toContain(503);
  }

  async #append(upload: TrackedUpload, fault: RequestFault, { from, first }: Turn): Promise<void> {
    const announced = upload.length - from;
    const words = upload.words(upload.length);
    const head = this.#peer.appendHead({ ...words, from, length: announced });
    const stalls = fault.kind === "stall" || fault.answer?.fault === "stall";
    const index = this.#proxy.connections.length;
    const plan = planOf(fault, { headLength: head.length, bodyLength: announced });
    this.#proxy.setPlan(() => plan);
    const connection = await RawConnection.open(this.#proxy.address);
    const sending = send(connection, head, upload.content.subarray(from));
    try {
      const record = () => this.#proxy.connections[index];
      const what = "the stall";
      if (stalls) {
        // An early refusal ends the sending, and then there is nothing left to stall.
        const over = () => record()?.happened === "stall" || connection.received.length > 0;
        await eventually(() => over() || undefined, { what });
        // The line stays as it is while the next request comes; only the client may be gone.
        if (fault.vanish === true) connection.reset();
        return;
      }
      const response = await connection.readResponse();
      if (response?.whole !== true) return;
      const answer = await this.#peer.answered(words, response);
      const carried = record()?.toServerBytes ?? 0;
      const isWhole = carried >= head.length + announced;
      if (!isWhole) expect(answer.status, "2xx for a cut request").toBeGreaterThan(299);
      // What came before had brought more than was told: it is kept, and the newcomer told of it.
      const allowed = first ? [200] : [200, 412];
      if (record()?.happened === undefined) expect(allowed).toContain(answer.status);
      upload.note(answer, { from, to: upload.length });
    } finally {
      if (stalls && fault.vanish !== true) this.#stalled.push(connection);
      else connection.close();
      // What nobody reads any more is given up with the connection, not before.
      if (!stalls) await sending;
    }
  }

  /** Stalled connections stay open until here, so that nobody is told by their end. */
  close(): void {
    for (const connection of this.#stalled) connection.close();
    this.#proxy.resetAll();
  }
}

function planOf(
  { place, kind, pace, answer }: RequestFault,
  request: { readonly headLength: number; readonly bodyLength: number },
): ConnectionFaults {
  const { headLength, bodyLength } = request;
  const toClient = answer ?? {};
  if (place === undefined) return { toServer: pace ?? {}, toClient };
  const afterBytes =
    place.part === "head"
      ? Math.floor(headLength * place.fraction)
      : headLength + Math.min(place.bytes, bodyLength);
  return { toServer: { ...pace, afterBytes, fault: kind ?? "close" }, toClient };
}

async function send(connection: RawConnection, head: Buffer, body: Buffer): Promise<void> {
  await connection.write(head);
  const pieces: Uint8Array[] = [];
  for (let position = 0; position < body.length; position += 64 * 1024) {
    pieces.push(body.subarray(position, position + 64 * 1024));
  }
  await connection.writeWhileTaken(pieces, { untilAnswered: true });
}

/** Runs the cases, some at a time; the first that breaks a promise fails, and no more are begun. */
export async function runNetworkCases(
  server: ServerProcess,
  cases: readonly NetworkCase[],
  { seed, atOnce }: { readonly seed: number; readonly atOnce: number },
): Promise<void> {
  const waiting = [...cases.entries()];
  const worker = async (): Promise<void> => {
    await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
    const trial = new NetworkTrial(new GraphPeer(server), proxy);
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, each] = next;
        await trial.run(each, new SeededRandom(seed + index).word()).catch((error: unknown) => {
          waiting.length = 0;
          throw new Error(`${each.name} (case ${index} of seed ${seed})`, { cause: error });
        });
      }
    } finally {
      trial.close();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
