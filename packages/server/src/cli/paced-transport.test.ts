import { expect, test } from "vitest";
import type { Transport, TransportAnswer, TransportRequest } from "hawser-client";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { pacedTransport, RateLimit } from "./paced-transport.ts";

/** Reads a body as a network would that takes everything at once, and notes when. */
class Network implements Transport {
  readonly arrivals: { atMs: number; bytes: number }[] = [];
  readonly received: Uint8Array[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  async send({ body }: TransportRequest): Promise<TransportAnswer> {
    for await (const chunk of body?.open() ?? []) {
      this.arrivals.push({ atMs: this.#clock.monotonic(), bytes: chunk.length });
      this.received.push(Buffer.from(chunk));
    }
    return { status: 200, headers: {}, text: "" };
  }
}

function requestOf(content: Uint8Array): TransportRequest {
  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous
  const open = async function* () {
    yield content.subarray(0, 1_500_000);
    yield content.subarray(1_500_000);
  };
  const signal = new AbortController().signal;
  const body = { length: content.length, open };
  return { method: "POST", url: "http://x/", headers: {}, signal, stallMs: 1, answerMs: 1, body };
}

async function untilDone(clock: ManualClock, work: Promise<unknown>): Promise<void> {
  const state = { open: true };
  void work.then(() => (state.open = false));
  while (state.open) {
    await new Promise(setImmediate);
    clock.pass(10);
  }
}

test("all uploads together never get ahead of the rate, and every byte arrives", async () => {
  const clock = new ManualClock(0);
  const network = new Network(clock);
  const rate = 1_000_000;
  const limit = new RateLimit(rate, clock);
  const transport = pacedTransport(network, limit);
  const contents = [Buffer.alloc(2_000_000, "a"), Buffer.alloc(3_000_001, "b")];
  await untilDone(clock, Promise.all(contents.map((each) => transport.send(requestOf(each)))));
  let sum = 0;
  for (const { atMs, bytes } of network.arrivals) {
    // A slice may go as soon as those before it have had their time; one byte for rounding.
    expect(sum).toBeLessThanOrEqual((atMs / 1000) * rate + 1);
    sum += bytes;
  }
  expect(sum).toBe(5_000_001);
  const received = Buffer.concat(network.received);
  expect(received.filter((byte) => byte === 97).length).toBe(2_000_000);
});

test("a slow line gets small slices, so that it never looks dead", () => {
  expect(new RateLimit(5000, new ManualClock()).sliceBytes).toBe(500);
});
