import { beforeAll, expect, it } from "vitest";

import { ServerProcess } from "../support/server-process.ts";
import { everyBoundary, faultKinds } from "./network-cases.ts";
import { runNetworkCases } from "./network-trial.ts";

let server: ServerProcess;

beforeAll(async () => {
  const started = await ServerProcess.start();
  server = started;
  return () => started.remove();
});

const quick = everyBoundary().filter(({ length }) => length < 300 * 1024);

/** One in seven: of every kind of fault, in the head, in the body and in the answer. */
const few = quick.filter((_, index) => index % 7 === 0);

it(`a failing line loses nothing, in ${few.length} quick cases`, async () => {
  for (const kind of faultKinds) {
    expect(few.some(({ faults }) => faults.some((fault) => fault.kind === kind))).toBe(true);
  }
  const { pid } = server;
  await runNetworkCases(server, few, { seed: 11, atOnce: 3 });
  expect(server.pid).toBe(pid);
});
