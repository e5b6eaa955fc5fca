import { afterEach, beforeAll, expect, it } from "vitest";

import type { Append } from "../../packages/client/src/dialects/dialect.ts";
import { GraphUploads } from "../../packages/client/src/dialects/graph.ts";
import { OffsetRules } from "../../packages/client/src/offset-rules.ts";
import { SeededRandom } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { everyClientCase, randomClientCase } from "./client-library-cases.ts";
import { runClientCases } from "./client-library-trial.ts";

/* HAWSER_CLIENT_RUNS sets the number of runs, HAWSER_CLIENT_SEED repeats them. */
const runsWanted = wholeNumber("HAWSER_CLIENT_RUNS", 1000);
const seed = wholeNumber("HAWSER_CLIENT_SEED", Date.now() % 2 ** 31);
const atOnce = 8;
const fault = "a proxy that cuts, stalls, refuses and lies about offsets";

/** Every class of fault first, then random ones up to the count. */
const classes = everyClientCase();
const random = Array.from({ length: Math.max(0, runsWanted - classes.length) }, (_, index) =>
  randomClientCase(new SeededRandom(seed + index)),
);
const cases = [...classes, ...random].slice(0, runsWanted);

let server: ServerProcess;
const repairs: (() => void)[] = [];

beforeAll(async () => {
  const started = await ServerProcess.start({
    extraArguments: ["--log-level", "warn"],
    startTimeoutMs: 120_000,
  });
  server = started;
  return () => started.remove();
}, 130_000);
afterEach(() => {
  for (const repair of repairs.splice(0)) repair();
});

it(`the client library ends whole or says why (seed ${seed}, ${cases.length} runs)`, async () => {
  const { pid } = server;
  const { runs, whole, errors, lies, broken } = await runClientCases(server, {
    cases,
    ...{ seed, atOnce },
  });
  expect(broken).toBeUndefined();
  expect(runs).toBe(cases.length);
  expect(server.pid).toBe(pid);
  const ends = Array.from(errors, ([code, times]) => `${times} ${code}`);
  await recordTrials({
    promise: "the client library ends byte-equal or with a clear error, and never hangs",
    fault,
    n: runs,
    seed,
    met: `${whole} whole, ${ends.join(", ")}; ${lies} lies`,
  });
});

/** What is said of a client that is spoilt; which case says it first is chance. */
const noticed =
  /had to end \S+ and ended|ended with what is no UploadError|other bytes than the file's|in vain for an end/;

/** Runs the same cases with a client that was spoilt; one of them must show it. */
async function expectNoticed(planted: string): Promise<void> {
  const { runs, broken } = await runClientCases(server, { cases, seed, atOnce });
  if (broken === undefined) expect.unreachable(`nothing was noticed in ${runs} runs`);
  expect(broken).toMatch(noticed);
  await recordPlanted({ harness: fault, planted, noticedAfter: runs, as: broken });
}

it("a client that trusts whatever offset it is told is noticed", async () => {
  const check = Reflect.get(OffsetRules.prototype, "check");
  repairs.push(() => (OffsetRules.prototype.check = check));
  OffsetRules.prototype.check = () => undefined;
  await expectNoticed("any offset is followed");
});

it("a client that takes what it sent before a cut for received is noticed", async () => {
  const { prototype } = GraphUploads;
  const ask = Reflect.get(prototype, "ask");
  const append = Reflect.get(prototype, "append");
  repairs.push(() => Object.assign(prototype, { ask, append }));
  const ends = new WeakMap<GraphUploads, number>();
  prototype.append = function (this: GraphUploads, part: Append) {
    ends.set(this, part.offset + part.body.length);
    return Reflect.apply(append, this, [part]);
  };
  prototype.ask = function (this: GraphUploads) {
    return Promise.resolve({ offset: ends.get(this) ?? 0 });
  };
  await expectNoticed("no question after a cut");
});
