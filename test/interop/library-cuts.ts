import type { StandardDialect, StandardUploadOptions, UploadResult } from "hawser-client";
import { nodePlatform, upload } from "hawser-client";

import { NodeHttpTransport } from "../../packages/client/src/transports/node-http.ts";
import { SeededRandom } from "../support/seeded.ts";
import { type ConnectionFaults, TcpProxy } from "../support/tcp-proxy.ts";

/** A server that speaks a standard dialect. */
export interface StandardPeer {
  readonly dialect: StandardDialect;
  readonly port: number;
  /** Where uploads are made; empty for the dialect's own. */
  readonly path: string;
  readonly token?: string;
  /** What it has of a complete upload. */
  contentOf(result: UploadResult): Promise<Buffer>;
}

export interface CutRounds {
  readonly rounds: number;
  readonly seed: number;
}

export interface CutOutcome {
  readonly whole: number;
  /** Failures that were overcome. */
  readonly retries: number;
}

/** A line on which most of the first connections break, each after some bytes in one direction. */
function badLine(random: SeededRandom): ConnectionFaults[] {
  return Array.from({ length: 4 }, (): ConnectionFaults => {
    const fault = random.pick(["close", "reset"] as const);
    const toServer = { afterBytes: random.integer(0, 400_000), fault };
    const toClient = { afterBytes: random.integer(0, 400), fault };
    return random.pick<ConnectionFaults>([{ toServer }, { toServer }, { toClient }, {}]);
  });
}

/** Uploads over lines that break; throws at the first that does not arrive byte for byte. */
export async function uploadOverBadLines(
  peer: StandardPeer,
  { rounds, seed }: CutRounds,
): Promise<CutOutcome> {
  await using line = await TcpProxy.start({ host: "127.0.0.1", port: peer.port });
  let retries = 0;
  for (let round = 0; round < rounds; round += 1) {
    const random = new SeededRandom(seed + round);
    const content = random.bytes(random.integer(1, 700_000));
    const faults = badLine(random);
    // One failure at least, whatever the seed: lines may happen to be good.
    if (round === 0) faults[0] = { toServer: { afterBytes: 0, fault: "reset" } };
    const first = line.connections.length;
    line.setPlan((index) => faults[index - first] ?? {});
    const options: StandardUploadOptions = {
      dialect: peer.dialect,
      url: line.url + peer.path,
      token: peer.token,
      ...{ name: "cut.pdf", type: "application/pdf" },
      chunkSize: random.pick([100_000, 256 * 1024, 2 ** 20]),
      retry: { attempts: 40, waitMs: 1, waitMsMax: 20 },
    };
    // Connections of its own: those of the round before know nothing of this one's plan.
    const transport = new NodeHttpTransport();
    try {
      const result = await upload(content, options, { ...nodePlatform, transport });
      if (!content.equals(await peer.contentOf(result))) {
        throw new Error(`other bytes arrived in round ${round} of seed ${seed}`);
      }
      retries += result.retries;
    } finally {
      transport.close();
    }
  }
  return { whole: rounds, retries };
}
