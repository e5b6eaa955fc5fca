import type { StandardDialect } from "hawser-client";
import { ietf } from "hawser-client/ietf";
import { tus } from "hawser-client/tus";
import { expect, test } from "vitest";

import { TusPeer } from "../../packages/client/src/testing/tus-peer.ts";
import { GraphPeer } from "../fault/graph-peer.ts";
import { ServerProcess } from "../support/server-process.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { uploadOverBadLines } from "./library-cuts.ts";

/* HAWSER_CUT_ROUNDS sets how many uploads go to each server, HAWSER_CUT_SEED repeats them. */
const rounds = wholeNumber("HAWSER_CUT_ROUNDS", 8);
const seed = wholeNumber("HAWSER_CUT_SEED", Date.now() % 2 ** 31);

test(`uploads in tus over bad lines arrive whole at @tus/server (seed ${seed})`, async () => {
  await using peer = await TusPeer.start();
  const outcome = await uploadOverBadLines(
    { dialect: tus, port: peer.port, path: "/files", contentOf: ({ id }) => peer.bytesOf(id) },
    { rounds, seed },
  );
  expect(outcome.whole).toBe(rounds);
  expect(outcome.retries).toBeGreaterThan(0);
}, 120_000);

const dialects: readonly StandardDialect[] = [tus, ietf];

test.each(dialects)(
  `uploads in $name over bad lines arrive whole here (seed ${seed})`,
  async (dialect) => {
    const server = await ServerProcess.start({ extraArguments: ["--log-level", "warn"] });
    try {
      const { port, token } = server;
      const graph = new GraphPeer(server);
      const contentOf = ({ handle }: { handle: string }) => graph.download(handle);
      const outcome = await uploadOverBadLines(
        { dialect, port, path: "", token, contentOf },
        { rounds, seed },
      );
      expect(outcome.whole).toBe(rounds);
      expect(outcome.retries).toBeGreaterThan(0);
    } finally {
      await server.remove();
    }
  },
  120_000,
);
