import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import type { HeaderLine, RawConnection } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { seededPlan, TcpProxy } from "../../support/tcp-proxy.ts";
import { type GraphAnswer, GraphApi } from "./graph-api.ts";
import { chunked, declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 1_500_000;
const whole = patternBytes({ seed: 6, length });
const declared = declaring(length);

async function untilOffset(id: string, wanted: number): Promise<void> {
  const reached = async () => ((await target().api.offset(id)) === wanted ? true : undefined);
  await eventually(reached, { what: `offset ${wanted}` });
}

async function expectOpen(id: string): Promise<number> {
  const status = await target().api.status(id, "status,h");
  expect(status.json.status).toBe("open");
  expect(status.json).not.toHaveProperty("h");
  return status.number("file_offset");
}

/**
 * Resumes as the guide says: asks for the offset and sends the rest from there, once more when the
 * last of what was cut arrived only after the question.
 */
async function expectResumes(id: string): Promise<void> {
  const { api } = target();
  const goOn = async (): Promise<GraphAnswer | undefined> => {
    const offset = await api.offset(id);
    const told = await api.append({ id, offset, bytes: whole.subarray(offset) });
    return told.status === 412 ? undefined : told;
  };
  const answer = await eventually(goOn, { what: "the rest to be taken", timeoutMs: 60_000 });
  expect(Object.keys(answer.json), answer.body.toString()).toEqual(["h"]);
  const content = await api.content(await api.publish(answer.text("h")));
  expect(content.equals(whole)).toBe(true);
}

interface Begun {
  readonly id: string;
  readonly connection: RawConnection;
}

async function begin(context: TestContext, headers: readonly HeaderLine[]): Promise<Begun> {
  const id = await target().api.start({ file_length: length });
  const connection = await target().beginAppend(context, { id, offset: 0 }, headers);
  return { id, connection };
}

describe("a request that is cut off", () => {
  it("still moves the offset by every byte that arrived, and the rest can follow", async (context) => {
    const { id, connection } = await begin(context, declared);
    await connection.write(whole.subarray(0, 600_000));
    connection.close();
    await untilOffset(id, 600_000);
    await expectResumes(id);
  });

  it("moves the offset when it is cut within the first bytes", async (context) => {
    const { id, connection } = await begin(context, declared);
    await connection.write(whole.subarray(0, 3));
    connection.close();
    await untilOffset(id, 3);
    await expectResumes(id);
  });

  it("moves the offset when the client only finishes its side early", async (context) => {
    const { id, connection } = await begin(context, declared);
    await connection.write(whole.subarray(0, 200_000));
    connection.halfClose();
    await untilOffset(id, 200_000);
    const answer = await connection.readResponse();
    expect(answer?.status ?? 400).toBeGreaterThanOrEqual(400);
    connection.close();
    await expectResumes(id);
  });

  it("one byte short never completes the upload", async (context) => {
    const { id, connection } = await begin(context, declared);
    await connection.write(whole.subarray(0, length - 1));
    connection.close();
    await untilOffset(id, length - 1);
    await expectOpen(id);
    await expectResumes(id);
  });

  it("after its last byte but before its last chunk never completes the upload", async (context) => {
    const { id, connection } = await begin(context, chunked);
    await connection.sendChunk(whole);
    connection.close();
    const moved = async () => ((await target().api.offset(id)) > length / 2 ? true : undefined);
    await eventually(moved, { what: "the offset to move" });
    // Whatever would complete it late has had its chance after this.
    await sleep(100);
    expect(await expectOpen(id)).toBeLessThanOrEqual(length);
    await expectResumes(id);
  });

  it("in the middle of a chunk keeps what arrived of it", async (context) => {
    const { id, connection } = await begin(context, chunked);
    await connection.write(Buffer.from("186a0\r\n")); // 100,000 in hexadecimal
    await connection.write(whole.subarray(0, 70_000));
    connection.close();
    await untilOffset(id, 70_000);
    await expectResumes(id);
  });

  it("by a malformed chunk never gets a 2xx and never completes the upload", async (context) => {
    const { id, connection } = await begin(context, chunked);
    await connection.sendChunk(whole);
    await connection.write("not a chunk size\r\n");
    const answer = await connection.readResponse();
    expect(answer?.status ?? 400).toBeGreaterThanOrEqual(400);
    connection.close();
    await expectOpen(id);
    await expectResumes(id);
  });

  it("by a TCP reset may lose what was in flight but never what was acknowledged", async (context) => {
    const { id, connection } = await begin(context, declared);
    await connection.write(whole.subarray(0, 900_000));
    const acknowledged = await eventually(
      async () => (await target().api.offset(id)) || undefined,
      { what: "a first durable byte" },
    );
    connection.reset();
    const offset = await target().api.offset(id);
    expect(offset).toBeGreaterThanOrEqual(acknowledged);
    expect(offset).toBeLessThanOrEqual(900_000);
    await expectResumes(id);
  });
});

describe("an upload over a bad line", () => {
  it.for([1, 2, 3])(
    "resumes over every cut until the bytes are whole (seed %d)",
    async (seed, context) => {
      const plan = seededPlan(seed, { afterBytesMax: 400_000, failures: 6 });
      await using proxy = await TcpProxy.start(target().rawAddress(context), plan);
      const { api } = target();
      const { appId, token } = api;
      const url = new URL(api.pathOf(""), proxy.url);
      const bad = new GraphApi({ url, appId, token });
      const id = await api.start({ file_length: length });
      let offset = 0;
      let handle: string | undefined;
      for (let attempt = 0; attempt < 10 && handle === undefined; attempt += 1) {
        const bytes = whole.subarray(offset);
        const answer = await bad.append({ id, offset, bytes }).catch(() => undefined);
        if (answer?.status === 200) handle = answer.text("h");
        else {
          const now = await api.offset(id);
          expect(now).toBeGreaterThanOrEqual(offset);
          offset = now;
        }
      }
      expect(handle).toBeTypeOf("string");
      const content = await api.content(await api.publish(handle ?? ""));
      expect(content.equals(whole)).toBe(true);
    },
  );
});
