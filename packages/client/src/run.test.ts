import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UploadOptions, UploadState } from "./index.ts";
import { MemoryResumeStore, upload } from "./index.ts";
import type { Fault } from "./testing/fake-graph.ts";
import { answering, cutAfter, FakeGraph, json, refuse, stallAfter } from "./testing/fake-graph.ts";
import { debugOnly, failureOf, optionsFor } from "./testing/upload-case.ts";

const size = 3 * 1024 * 1024 + 17;
const content = randomBytes(size);
let directory: string;
let file: string;
let fake: FakeGraph;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-client-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  fake = await FakeGraph.listen();
  file = join(directory, "film.mp4");
  await writeFile(file, content);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const options = (more: Partial<UploadOptions> = {}) => optionsFor(fake, more);

describe("a disturbed upload", () => {
  test("goes on at the server's offset after a cut", async () => {
    fake.appendFaults.push(cutAfter(1_000_001));
    const result = await upload(file, options());
    expect(result.retries).toBe(1);
    expect(fake.requests.at(-1)).toMatch(/@1000001$/);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("reads an offset given as a string", async () => {
    fake.appendFaults.push(cutAfter(777));
    fake.askFaults.push(({ response }) => {
      json(response, 200, { id: fake.id, file_offset: "777" });
      return true;
    });
    await upload(file, options());
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("cuts a connection on which nothing moves and goes on", async () => {
    fake.appendFaults.push(stallAfter(5000));
    const errors: string[] = [];
    const onState = (state: UploadState) => {
      if (state.kind === "retrying") errors.push(state.error.code);
    };
    // More than the buffers between take in, so that the stall is in the sending.
    const big = Buffer.concat(Array.from({ length: 8 }, () => content));
    await upload(big, options({ onState, stallMs: 400 }));
    // More than once where the machine itself stands still for so long.
    expect(new Set(errors)).toEqual(new Set(["stalled"]));
    expect(fake.kept.equals(big)).toBe(true);
  });

  test("does not take a slow line for a dead one", async () => {
    fake.appendFaults.push(async ({ request, response }) => {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        fake.add(chunk);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      json(response, 200, { h: fake.handle });
      return true;
    });
    const big = Buffer.concat(Array.from({ length: 3 }, () => content));
    const result = await upload(big, options({ stallMs: 300 }));
    expect(result.handle).toBe(fake.handle);
    expect(fake.kept.equals(big)).toBe(true);
  });

  test("has a lost final answer again with an empty body", async () => {
    fake.appendFaults.push(async ({ request }) => {
      await fake.keep(request);
      request.socket.destroy();
      return true;
    });
    const result = await upload(file, options());
    expect(result.handle).toBe(fake.handle);
    expect(fake.requests.at(-1)).toBe(`POST /v21.0/${fake.id}@${size}`);
    expect(fake.headers.at(-1)?.["content-length"]).toBe("0");
  });

  test("asks and goes on at once after a 412", async () => {
    fake.appendFaults.push(debugOnly(412, "OffsetInvalidError", { retriable: true }));
    const waits: number[] = [];
    const onState = (state: UploadState) => {
      if (state.kind === "retrying") waits.push(state.waitMs);
    };
    await upload(file, options({ onState, retry: { waitMs: 60_000 } }));
    expect(waits).toEqual([0]);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("waits after each cut but the first while another sender moves the offset, without giving up", async () => {
    const another: Fault = ({ request }) => {
      fake.kept = content.subarray(0, fake.kept.length + 200_000);
      request.socket.destroy();
      return true;
    };
    fake.appendFaults.push(...Array.from({ length: 8 }, () => another));
    const waits: number[] = [];
    const onState = (state: UploadState) => {
      if (state.kind === "retrying") waits.push(state.waitMs);
    };
    const retry = { attempts: 6, waitMs: 4, waitMsMax: 1000 };
    await upload(file, options({ onState, retry, chunkSize: 100_000 }));
    const [first, ...others] = waits;
    expect(first).toBe(0);
    expect(others).toHaveLength(7);
    expect(Math.min(...others)).toBeGreaterThan(0);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("stops sending when the answer comes early, and reads it", async () => {
    let read = 0;
    fake.appendFaults.push(({ request, response }) => {
      request.on("data", (chunk: Buffer) => (read += chunk.length));
      request.once("data", () => {
        refuse(response, 400, { type: "ProcessingFailedError", message: "not wanted" });
      });
      return true;
    });
    const big = Buffer.alloc(64 * 1024 * 1024, 1);
    const error = await failureOf(upload(big, options()));
    expect(error).toMatchObject({ code: "refused", message: "not wanted (400)" });
    expect(read).toBeLessThan(big.length / 2);
  });

  test("waits as long as a 429 asks although it says that it is not retriable", async () => {
    fake.appendFaults.push(debugOnly(429, "RequestRateLimitedError", { backoff: 120 }));
    const startedMs = performance.now();
    await upload(file, options());
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(115);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test.each([500, 502, 503, 408])("tries again after a %i", async (status) => {
    fake.startFaults.push(answering(status, {}));
    fake.appendFaults.push(answering(status, { debug_info: { type: "X", message: "m" } }));
    fake.askFaults.push(answering(status, {}));
    await upload(file, options());
    expect(fake.kept.equals(content)).toBe(true);
  });

  test.each([1, 2, 4, 17, 32, 341, 613])("tries again after Graph's code %i", async (code) => {
    fake.startFaults.push(answering(400, { error: { message: "m", type: "T", code } }));
    await upload(content, options());
    expect(fake.starts).toBe(1);
  });

  test("gives up when nothing moves any more, and says how often it tried", async () => {
    fake.appendFaults.push(...Array.from({ length: 9 }, () => answering(500, {})));
    const error = await failureOf(upload(file, options()));
    expect(error.code).toBe("server-trouble");
    expect(error.facts.attempts).toBe(4);
  });

  test("has its patience renewed whenever the offset moved", async () => {
    fake.appendFaults.push(...Array.from({ length: 12 }, () => cutAfter(1000)));
    const result = await upload(file, options({ retry: { waitMs: 1, attempts: 2 } }));
    expect(result.retries).toBe(12);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("does not follow an offset that went down", async () => {
    fake.appendFaults.push(cutAfter(2000), cutAfter(10));
    fake.askFaults.push(
      () => false,
      ({ response }) => {
        json(response, 200, { id: fake.id, file_offset: 5 });
        return true;
      },
    );
    expect((await failureOf(upload(file, options()))).code).toBe("offset-contradiction");
  });

  test("does not follow an offset beyond what was sent", async () => {
    const lie = answering(200, { id: fake.id, file_offset: size });
    fake.appendFaults.push(lie);
    const task = upload(file, options({ chunkSize: 1000 }));
    expect((await failureOf(task)).code).toBe("offset-contradiction");
  });

  /** The request is cut when somebody else has brought the upload further. */
  const overtakenWith = (bytes: Buffer): Fault => {
    return async ({ request }) => {
      await fake.keep(request, 1000);
      fake.kept = bytes;
      request.socket.destroy();
      return true;
    };
  };

  test.each([2_000_000, size])(
    "goes on with %i bytes that another process sent of the same file meanwhile",
    async (sent) => {
      fake.appendFaults.push(overtakenWith(content.subarray(0, sent)));
      const { handle } = await upload(file, options({ chunkSize: 1_000_000 }));
      expect(handle).toBe(fake.handle);
      expect(fake.requests).toContain(`POST /v21.0/${fake.id}@${sent}`);
      expect(fake.kept.equals(content)).toBe(true);
    },
  );

  test("does not go on with another file's bytes, nor with any whose CRC-32 is not told", async () => {
    fake.appendFaults.push(overtakenWith(randomBytes(2_000_000)));
    const task = upload(file, options({ chunkSize: 1_000_000 }));
    expect((await failureOf(task)).code).toBe("offset-contradiction");
    fake.givesCrc = false;
    fake.appendFaults.push(overtakenWith(content.subarray(0, 2_000_000)));
    const untold = upload(file, options({ chunkSize: 1_000_000 }));
    expect((await failureOf(untold)).code).toBe("offset-contradiction");
  });

  test("does not go round for ever with a server that accepts and stays where it is", async () => {
    const stuck = answering(200, { id: fake.id, file_offset: 0 });
    fake.appendFaults.push(...Array.from({ length: 9 }, () => stuck));
    expect((await failureOf(upload(file, options()))).code).toBe("bad-answer");
  });

  test("asks for another token once when a callback gave one that is refused", async () => {
    const tokens = ["old", "new"];
    const unauthorised = debugOnly(401, "NotAuthorizedError");
    fake.appendFaults.push(unauthorised);
    await upload(file, options({ token: () => tokens.shift() ?? "none" }));
    expect(fake.headers.map((headers) => headers.authorization)).toEqual([
      "OAuth old",
      "OAuth old",
      "OAuth new",
    ]);
  });

  test("stops at a refused token that was given as text", async () => {
    fake.appendFaults.push(debugOnly(401, "NotAuthorizedError"));
    const error = await failureOf(upload(file, options()));
    expect(error).toMatchObject({ code: "not-authorised", hint: expect.any(String) as string });
    expect(error.message).toBe("it is NotAuthorizedError (401)");
  });

  test("notices that the file changed under it", async () => {
    const store = new MemoryResumeStore();
    fake.appendFaults.push(async (scene) => {
      await appendFile(file, "more");
      return cutAfter(1000)(scene);
    });
    const error = await failureOf(upload(file, options({ resumeStore: store })));
    expect(error.code).toBe("source-changed");
    expect(await store.list()).toEqual([]);
  });

  test("stops when aborted, in the middle of a wait too", async () => {
    fake.appendFaults.push(debugOnly(429, "RequestRateLimitedError", { backoff: 60_000 }));
    const task = upload(file, options());
    setTimeout(() => {
      task.abort();
    }, 50);
    expect((await failureOf(task)).code).toBe("aborted");
    expect(task.state).toEqual({ kind: "aborted" });
  });

  test("is given up on the server too when cancelled", async () => {
    fake.appendFaults.push(stallAfter(1000));
    const task = upload(file, options());
    await expect.poll(() => fake.kept.length).toBe(1000);
    void task.cancel();
    expect((await failureOf(task)).code).toBe("cancelled");
    await expect.poll(() => fake.requests.at(-1)).toBe(`DELETE /v21.0/${fake.id}`);
  });
});
