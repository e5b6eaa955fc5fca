import { tus } from "hawser-client/tus";
import { expect, test } from "vitest";

import { TusPeer } from "../../packages/client/src/testing/tus-peer.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { uploadOverBadLines } from "./library-cuts.ts";

/* HAWSER_CUT_ROUNDS sets how many uploads go to each server, HAWSER_CUT_SEED repeats them. */
const rounds = wholeNumber("HAWSER_CUT_ROUNDS", 20);
const seed = wholeNumber("HAWSER_CUT_SEED", Date.now() % 2 ** 31);

test(`tus uploads over bad lines arrive whole at @tus/server (seed ${seed})`, async () => {
  await using peer = await TusPeer.start();
  const outcome = await uploadOverBadLines(
    { dialect: tus, port: peer.port, path: "/files", contentOf: ({ id }) => peer.bytesOf(id) },
    { rounds, seed },
  );
  expect(outcome.whole).toBe(rounds);
  expect(outcome.retries).toBeGreaterThan(0);
}, 120_000);
