import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryResumeStore, nodePlatform, upload } from "./index.ts";
import type { Fault } from "./testing/fake-graph.ts";
import { answering, cutAfter, FakeGraph } from "./testing/fake-graph.ts";
import { failureOf, optionsFor } from "./testing/upload-case.ts";

const content = randomBytes(300_000);

/** A fault by its description, so that a failing case can be read. */
const fault = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), after: fc.integer({ min: 0, max: 120_000 }) }),
  fc.record({
    kind: fc.constant("answer" as const),
    status: fc.constantFrom(408, 412, 429, 500, 502, 503, 507),
  }),
  fc.record({ kind: fc.constant("nonsense" as const), text: fc.constantFrom("", "<html>", "{}") }),
  fc.record({ kind: fc.constant("swallow" as const) }),
);

function toFault(described: typeof fault extends fc.Arbitrary<infer T> ? T : never): Fault {
  switch (described.kind) {
    case "cut":
      return cutAfter(described.after);
    case "answer":
      return answering(described.status, {});
    case "nonsense":
      return ({ response }) => {
        response.end(described.text);
        return true;
      };
    case "swallow":
      // The body is taken whole and the answer is lost.
      return async ({ fake, request }) => {
        await fake.keep(request);
        request.socket.destroy();
        return true;
      };
  }
}

const clock = { now: () => 0, sleep: () => Promise.resolve() };

test("whatever happens on the way, the server ends with exactly the file", async () => {
  const faults = fc.array(fault, { maxLength: 8 });
  const chunkSize = fc.option(fc.integer({ min: 20_000, max: 400_000 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(faults, faults, chunkSize, async (appends, asks, size) => {
      await using fake = await FakeGraph.listen();
      fake.appendFaults.push(...appends.map(toFault));
      fake.askFaults.push(...asks.filter(({ kind }) => kind !== "swallow").map(toFault));
      const retry = { attempts: 40 };
      const options = optionsFor(fake, { retry, chunkSize: size, type: "application/x-test" });
      const result = await upload(content, options, { ...nodePlatform, clock });
      expect(result.handle).toBe(fake.handle);
      expect(fake.kept.equals(content)).toBe(true);
      expect(fake.starts).toBe(1);
    }),
    { numRuns: 40 },
  );
}, 60_000);

test("however often the process ends, the next one goes on with the same upload", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(60_000), { maxLength: 6 }), async (stops) => {
      await using fake = await FakeGraph.listen();
      const options = optionsFor(fake, { resumeStore: new MemoryResumeStore() });
      for (const bytes of stops) {
        fake.appendFaults.push(cutAfter(bytes));
        await failureOf(upload(content, { ...options, retry: { attempts: 1 } }));
      }
      const before = fake.kept.length;
      expect((await upload(content, options)).resumedFrom).toBe(before);
      expect(fake.kept.equals(content)).toBe(true);
      expect(fake.starts).toBe(1);
    }),
    { numRuns: 20 },
  );
}, 60_000);
