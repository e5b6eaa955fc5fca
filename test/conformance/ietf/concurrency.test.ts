import { describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import type { RawConnection } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectTaken } from "./expect-answer.ts";
import { expectProblem, mismatchingOffset } from "./expect-problem.ts";
import { givenUrl } from "./given-server.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();

const length = 400_000;
const stalledAt = 150_000;
const first = { seed: 42 };
const second = { seed: 43 };

interface Stalled {
  readonly url: string;
  readonly connection: RawConnection;
}

/** A first append that sent a part of what it promised and then fell silent, still connected. */
async function stalledAppend(context: TestContext): Promise<Stalled> {
  const { api } = target();
  const created = await api.create({ length });
  const url = created.location;
  const headers = { "Content-Length": `${length}` };
  const append = { url, offset: 0, complete: true, headers };
  const connection = await target().beginAppend(context, append);
  await connection.write(patternBytes({ ...first, length: stalledAt }));
  // Graph tells the offset without ending anything; of several nodes another may be asked.
  const begun = async () => ((await target().offsetAside(created)) === 0 ? undefined : true);
  await eventually(begun, { what: "the first append to be under way" });
  return { url, connection };
}

describe("a request while another is still being sent", () => {
  it("that asks for the offset ends it, so that the offset it gets can be used", async (context) => {
    const { api } = target();
    const { url, connection } = await stalledAppend(context);
    const offset = await api.offset(url);
    if (givenUrl === undefined) expect(offset).toBeGreaterThan(0);
    // The first one goes on sending, into a connection that no longer counts.
    await connection.write(patternBytes({ ...first, start: stalledAt, length: 100_000 }));
    const bytes = patternBytes({ ...second, start: offset, length: length - offset });
    const answer = await api.append(url, offset, { bytes, complete: true });
    expectTaken(answer, 201);
    const late = await connection.readResponse();
    expect(late?.status ?? 503).toBeGreaterThanOrEqual(400);
    const before = patternBytes({ ...first, length: offset });
    await target().expectContent(url, Buffer.concat([before, bytes]));
    connection.close();
  });

  it("that appends ends it, and is judged by what that one had brought", async (context) => {
    const { api } = target();
    const { url, connection } = await stalledAppend(context);
    const tooFar = await api.append(url, length, { complete: true });
    expectProblem(tooFar, { status: 409, type: mismatchingOffset });
    const { offset } = tooFar;
    expect(offset).toBeLessThanOrEqual(stalledAt);
    const bytes = patternBytes({ ...first, start: offset, length: length - offset });
    const answer = await api.append(url, offset, { bytes, complete: true });
    expectTaken(answer, 201);
    expect(await connection.peerClosed()).not.toBe("open");
    connection.close();
  });

  it("never makes two of them take the same bytes", async () => {
    const { api } = target();
    const bytes = patternBytes({ seed: 44, length });
    const url = await api.begun({ length });
    const taken: (readonly [from: number, to: number])[] = [];
    const write = async (): Promise<void> => {
      for (let turn = 0; turn < 100; turn += 1) {
        const offset = await api.offset(url).catch(() => undefined);
        if (offset === length) return;
        if (offset === undefined) continue;
        const part = { bytes: bytes.subarray(offset, offset + 40_000) };
        const answer = await api.append(url, offset, part).catch(() => undefined);
        if (answer !== undefined && answer.status < 300)
          taken.push([offset, offset + part.bytes.length]);
      }
    };
    await Promise.all([write(), write(), write()]);
    const spans = taken.sort(([a], [b]) => a - b);
    for (const [index, [from]] of spans.entries()) {
      const previous = spans[index - 1];
      if (previous !== undefined) expect(from).toBeGreaterThanOrEqual(previous[1]);
    }
    const offset = await api.offset(url);
    const rest = { bytes: bytes.subarray(offset), complete: true };
    expectTaken(await api.append(url, offset, rest), 201);
  });
});

describe("the offset", () => {
  it("never goes down, whatever cuts the appends", async (context) => {
    const { api } = target();
    const bytes = patternBytes({ seed: 45, length });
    const url = await api.begun({ length });
    let before = 0;
    for (let turn = 0; turn < 6; turn += 1) {
      const headers = { "Content-Length": `${length - before}` };
      const append = { url, offset: before, complete: true, headers };
      const connection = await target().beginAppend(context, append);
      await connection.write(bytes.subarray(before, before + 50_000));
      if (turn % 2 === 0) connection.close();
      else connection.reset();
      const now = await api.offset(url);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    await target().completeAfterCut(url, bytes, before);
  });

  it("survives a server that is killed", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const own = graph.ownServer(context);
    const bytes = patternBytes({ seed: 46, length });
    const url = await api.begun({ length, bytes: bytes.subarray(0, 100_000) });
    await own.kill9();
    await own.restart({ samePort: true });
    expect(await api.offset(url)).toBe(100_000);
    const rest = { bytes: bytes.subarray(100_000), complete: true };
    expectTaken(await api.append(url, 100_000, rest), 201);
  });
});
