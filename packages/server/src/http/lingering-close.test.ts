import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import { eventually } from "../../../../test/support/eventually.ts";
import { sendThenRead } from "../../../../test/support/late-reader.ts";
import { RawConnection, type RawAddress } from "../../../../test/support/raw-http.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { Exchange } from "./exchange.ts";
import { HttpServer } from "./server.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const servers: HttpServer[] = [];

interface Serving {
  readonly address: RawAddress;
  /** Stands still by itself: how long a client takes on a busy machine decides nothing. */
  readonly clock: ManualClock;
}

async function serve(handle: (exchange: Exchange) => Promise<void>): Promise<Serving> {
  const clock = new ManualClock();
  const server = new HttpServer({
    protocols: [
      { name: "test", matches: (exchange) => !exchange.path.startsWith("/other"), handle },
    ],
    fallback: (_, response) => {
      setTimeout(() => response.end("fallback"), 5);
    },
    log: silentLog,
    clock,
    random: systemRandom,
  });
  servers.push(server);
  return { address: await server.listen("127.0.0.1", 0), clock };
}

/** Reads the body, if there is one, and answers how it ended while more is still coming. */
async function answerSoon(exchange: Exchange): Promise<void> {
  const body = exchange.body();
  let batch = await body.next();
  while (batch.kind === "bytes") batch = await body.next();
  await delay(5);
  await exchange.respond({ status: 200, headers: {}, body: batch.ending });
}

/** Comes in one piece with what is before it, so that the two are looked at together. */
function* behind(begin: string, pieces: number): Generator<Uint8Array> {
  yield Buffer.from(`${begin}{`);
  for (let piece = 0; piece < pieces; piece += 1) yield Buffer.alloc(64 * KiB, "{");
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.drain()));
});

/** The statuses and bodies of all answers. */
function told(received: Buffer): string[] {
  const text = received.toString("latin1");
  return text.split(/(?=HTTP\/1\.1 \d{3} )/).map((answer) => {
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    return `${head.slice(9, 12)} ${body}`;
  });
}

type Case = readonly [name: string, begin: string, answers: readonly RegExp[]];

const head = (line: string, headers = ""): string => `${line}\r\nHost: a\r\n${headers}\r\n`;
const chunked = "Transfer-Encoding: chunked\r\n";
const refused = /^400 .*not well-formed HTTP/;

const cases: readonly Case[] = [
  ["a request that is complete", head("GET / HTTP/1.1"), [/^200 clean$/]],
  ["two of them", head("GET / HTTP/1.1").repeat(2), [/^200 clean$/, /^200 clean$/]],
  ["one that asked to close", head("GET / HTTP/1.1", "Connection: close\r\n"), [/^200 clean$/]],
  ["one of HTTP/1.0", head("GET / HTTP/1.0"), [/^200 clean$/]],
  ["a request of nobody's", head("GET /other HTTP/1.1"), [/^200 fallback$/, refused]],
  ["nobody's of HTTP/1.0", head("GET /other HTTP/1.0"), [/^200 fallback$/]],
  ["a body that breaks off", head("POST / HTTP/1.1", chunked), [/^200 cut$/]],
  ["nobody's body that breaks off", head("POST /other HTTP/1.1", chunked), [refused]],
  ["nothing", "", [refused]],
];

describe("what is no request", () => {
  it.for(cases)("behind %s takes no answer from a late reader", async ([, begin, answers]) => {
    const { address } = await serve(answerSoon);
    // Just what a server that lingers reads before it closes.
    const send = () => sendThenRead(address, behind(begin, 15));
    for (const { received, orderly } of await Promise.all(Array.from({ length: 12 }, send))) {
      const all = told(received);
      expect(all).toHaveLength(answers.length);
      for (const [index, answer] of answers.entries()) expect(all[index]).toMatch(answer);
      expect(orderly).toBe(true);
    }
  });

  it("is read up to a bound, and then its connection ends", async () => {
    const { address, clock } = await serve(answerSoon);
    const sending = sendThenRead(address, behind("", 4_096));
    const passing = setInterval(() => {
      clock.pass(limits.lingerSilentMsMax);
    }, 500);
    const { taken } = await sending.finally(() => {
      clearInterval(passing);
    });
    // What the kernel's buffers of both sides hold comes on top of what is read.
    expect(taken).toBeLessThan(32 * MiB);
  });

  it("cannot hold its connection for ever by coming slowly", async () => {
    const { address, clock } = await serve(answerSoon);
    using connection = await RawConnection.open(address);
    await connection.write("nonsense\r\n\r\n");
    expect((await connection.answer()).status).toBe(400);
    expect(await connection.peerClosed()).toBe("ended");
    let looks = 0;
    const isLost = async () => {
      const taken = await connection.write("x");
      await delay(50);
      looks += 1;
      clock.pass(limits.lingerSilentMsMax);
      return taken ? undefined : looks;
    };
    const looked = await eventually(isLost, { what: "the connection to be lost", intervalMs: 0 });
    expect(looked).toBeLessThanOrEqual(limits.lingerMsMax / limits.lingerSilentMsMax + 3);
  });

  it("that is over leaves a connection that is let go when its client stays silent", async () => {
    const { address, clock } = await serve(answerSoon);
    using connection = await RawConnection.open(address);
    await connection.write("nonsense\r\n\r\n");
    expect(await connection.peerClosed()).toBe("ended");
    await delay(50);
    clock.pass(limits.lingerSilentMsMax);
    const isLost = async () => ((await connection.write("x")) ? undefined : true);
    await eventually(isLost, { what: "the connection to be lost" });
  });
});
