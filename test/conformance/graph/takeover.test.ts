import { describe, expect, it, type TestContext } from "vitest";
import { crc32 } from "node:zlib";

import { eventually } from "../../support/eventually.ts";
import type { RawConnection } from "../../support/raw-http.ts";
import { firstStrangeByte, patternBytes } from "../../support/seeded.ts";
import { expectUploadError, staleOffset } from "./expect-error.ts";
import { declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 1_000_000;
const stalledAt = 300_000;
const first = { seed: 11 };
const second = { seed: 12 };
/** The last of what came may be a trickle, which is durable only after 15 s. */
const timeoutMs = 45_000;

/** A first writer that sent a part of what it promised and then fell silent, still connected. */
async function stalledWriter(
  context: TestContext,
): Promise<{ readonly id: string; readonly connection: RawConnection }> {
  const { api } = target();
  const id = await api.start({ file_length: length });
  const append = { id, offset: 0 };
  const connection = await target().beginAppend(context, append, declaring(length));
  await connection.write(patternBytes({ ...first, length: stalledAt }));
  return { id, connection };
}

async function untilSomethingIsDurable(id: string): Promise<number> {
  const moved = async () => (await target().api.offset(id)) || undefined;
  return eventually(moved, { what: "the first writer's bytes to count" });
}

describe("a second writer on the same upload", () => {
  it("takes over while the first is stalled, and what the first made durable counts", async (context) => {
    const { api } = target();
    const { id, connection } = await stalledWriter(context);
    const there = async () => ((await api.offset(id)) === stalledAt ? true : undefined);
    await eventually(there, { what: "the first writer's bytes to be durable", timeoutMs });
    const started = performance.now();
    const bytes = patternBytes({ ...second, start: stalledAt, length: length - stalledAt });
    const answer = await api.append({ id, offset: stalledAt, bytes });
    expect(Object.keys(answer.json), answer.body.toString()).toEqual(["h"]);
    // A hang guard: below the 15 s after which a newcomer would be sent away.
    expect(performance.now() - started).toBeLessThan(14_000);

    // The first writer wakes up and goes on, into a connection that no longer counts.
    await connection.write(patternBytes({ ...first, start: stalledAt, length: 400_000 }));
    const late = await connection.readResponse();
    expect(late?.status ?? 400).toBeGreaterThanOrEqual(400);
    connection.close();

    const content = await api.content(await api.publish(answer.text("h")));
    expect(content).toHaveLength(length);
    expect(firstStrangeByte(content.subarray(0, stalledAt), first)).toBeUndefined();
    const rest = content.subarray(stalledAt);
    expect(firstStrangeByte(rest, { ...second, start: stalledAt })).toBeUndefined();
  }, 90_000);

  it("is judged against the true offset once the first has stopped", async (context) => {
    const { api } = target();
    const { id, connection } = await stalledWriter(context);
    const durable = await untilSomethingIsDurable(id);
    // Nobody can be at this offset: the newcomer is turned away, but the first has let go.
    const tooFar = await api.append({ id, offset: length, bytes: Buffer.alloc(0) });
    expectUploadError(tooFar, staleOffset);
    const offset = await api.offset(id);
    expect(offset).toBeGreaterThanOrEqual(durable);
    expect(offset).toBeLessThanOrEqual(stalledAt);
    const bytes = patternBytes({ ...second, start: offset, length: length - offset });
    const answer = await api.append({ id, offset, bytes });
    expect(Object.keys(answer.json), answer.body.toString()).toEqual(["h"]);
    connection.close();
    const expected = Buffer.concat([patternBytes({ ...first, length: offset }), bytes]);
    const stored = (await api.status(id, "crc32")).text("crc32");
    expect(stored).toBe(crc32(expected).toString(16).padStart(8, "0"));
  });

  it("chains with all others when many write at once, and no byte is taken twice", async () => {
    const { api } = target();
    const bytes = patternBytes({ seed: 13, length });
    const id = await api.start({ file_length: length });
    const acknowledged: (readonly [from: number, to: number])[] = [];
    let done = false;
    const write = async (): Promise<void> => {
      for (let turn = 0; turn < 200 && !done; turn += 1) {
        const offset = await api.offset(id);
        if (offset === length) return;
        const piece = bytes.subarray(offset, offset + 50_000);
        const answer = await api.append({ id, offset, bytes: piece }).catch(() => undefined);
        if (answer?.status !== 200) continue;
        acknowledged.push([offset, offset + piece.length]);
        done ||= "h" in answer.json;
      }
    };
    await Promise.all([write(), write(), write(), write()]);
    const status = await api.status(id, "status,crc32");
    expect(status.json).toMatchObject({ status: "complete", file_offset: length });
    expect(status.text("crc32")).toBe(crc32(bytes).toString(16).padStart(8, "0"));
    // Two requests may both be answered only when they hold different bytes. The completing one
    // alone may be repeated by others as an empty body.
    const spans = acknowledged.filter(([from, to]) => to > from).sort(([a], [b]) => a - b);
    for (const [index, [from]] of spans.entries()) {
      const previous = spans[index - 1];
      if (previous !== undefined) expect(from).toBeGreaterThanOrEqual(previous[1]);
    }
  });
});
