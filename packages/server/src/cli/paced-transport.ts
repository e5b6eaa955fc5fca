import type { Transport, TransportBody, TransportRequest } from "hawser-client";
import type { Clock } from "../base/clock.ts";

/** How often a second a body gets its share. */
const slicesPerSecond = 10;
const sliceBytesMax = 256 * 1024;

/** Bytes a second for everything that is sent, whoever sends it; who asks first is served first. */
export class RateLimit {
  readonly sliceBytes: number;
  readonly #bytesPerSecond: number;
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  /** When all that was granted so far has had its time. */
  #freeAtMs = 0;

  constructor(bytesPerSecond: number, clock: Pick<Clock, "monotonic" | "sleep">) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    const share = Math.ceil(bytesPerSecond / slicesPerSecond);
    this.sliceBytes = Math.min(share, sliceBytesMax);
  }

  /** Resolves when so many bytes may go; rejects when aborted. Time that was idle is not saved up. */
  async wait(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const grantedMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = grantedMs + (bytes / this.#bytesPerSecond) * 1000;
    if (grantedMs > nowMs) await this.#clock.sleep(grantedMs - nowMs, signal);
  }
}

/**
 * A transport whose bodies keep to the limit together. It paces what is sent and not what is read
 * of a file: comparing a file with what is there would otherwise take as long as sending it.
 */
export function pacedTransport(transport: Transport, limit: RateLimit): Transport {
  return {
    send: (request) => transport.send(paced(request, limit)),
  };
}

function paced(request: TransportRequest, limit: RateLimit): TransportRequest {
  const { body, signal } = request;
  if (body === undefined) return request;
  return { ...request, body: { length: body.length, open: () => pace(body, limit, signal) } };
}

async function* pace(body: TransportBody, limit: RateLimit, signal: AbortSignal) {
  for await (const chunk of body.open()) {
    for (let from = 0; from < chunk.length; from += limit.sliceBytes) {
      const slice = chunk.subarray(from, from + limit.sliceBytes);
      await limit.wait(slice.length, signal);
      yield slice;
    }
  }
}
