import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StandardUploadOptions } from "../index.ts";
import { MemoryResumeStore, upload, UploadQueue } from "../index.ts";
import { TusPeer } from "../testing/tus-peer.ts";
import { failureOf } from "../testing/upload-case.ts";
import { tus } from "./tus.ts";

const content = randomBytes(1_000_000);
let peer: TusPeer;

beforeEach(async () => {
  peer = await TusPeer.start();
});
afterEach(async () => {
  await peer[Symbol.asyncDispose]();
});

function options(more: Partial<StandardUploadOptions> = {}): StandardUploadOptions {
  const retry = { waitMs: 5, attempts: 6 };
  return { dialect: tus, url: peer.url, retry, stallMs: 20_000, answerMs: 20_000, ...more };
}

/** The bytes as a file that a later process can find again. */
const file = (name = "Füße.bin") => new File([content], name, { lastModified: 1 });

describe("an upload to somebody else's tus server", () => {
  test("arrives whole, and its URL is both id and handle", async () => {
    const result = await upload(file(), options({ token: "secret" }));
    expect(result.id).toMatch(new RegExp(`^${peer.url}/[0-9a-f]+$`));
    expect(result).toMatchObject({ handle: result.id, bytes: content.length, retries: 0 });
    expect(content.equals(await peer.bytesOf(result.id))).toBe(true);
    expect(peer.requests).toEqual(["POST", "PATCH@0"]);
  });

  test("says version, length, name and type, and gives the token", async () => {
    await upload(file(), options({ token: "secret", type: "text/plain" }));
    const encode = (text: string) => Buffer.from(text).toString("base64");
    expect(peer.headers[0]).toMatchObject({
      "tus-resumable": "1.0.0",
      "upload-length": String(content.length),
      "upload-metadata": `filename ${encode("Füße.bin")},filetype ${encode("text/plain")}`,
      authorization: "Bearer secret",
      "content-length": "0",
    });
    expect(peer.headers[1]).toMatchObject({ "content-type": "application/offset+octet-stream" });
  });

  test("needs no token where the server wants none", async () => {
    await upload(file(), options());
    expect(peer.headers[0]).not.toHaveProperty("authorization");
  });

  test("goes in parts of chunkSize", async () => {
    const { id } = await upload(file(), options({ chunkSize: 400_000 }));
    expect(peer.requests).toEqual(["POST", "PATCH@0", "PATCH@400000", "PATCH@800000"]);
    expect(content.equals(await peer.bytesOf(id))).toBe(true);
  });

  test("may be of no bytes at all", async () => {
    const { id } = await upload(new File([], "empty.txt"), options());
    expect(await peer.bytesOf(id)).toHaveLength(0);
  });

  test("asks where the server is when another offset was wanted", async () => {
    peer.faults.push(
      () => false,
      (request, response) => {
        response.writeHead(409).end("mismatch");
        request.resume();
        return true;
      },
    );
    const result = await upload(file(), options());
    expect(peer.requests).toEqual(["POST", "PATCH@0", "HEAD", "PATCH@0"]);
    expect(result.retries).toBe(1);
  });

  test.each([423, 460])("goes on after status %i", async (status) => {
    peer.faults.push(
      () => false,
      (request, response) => {
        response.writeHead(status).end();
        request.resume();
        return true;
      },
    );
    const { id } = await upload(file(), options());
    expect(content.equals(await peer.bytesOf(id))).toBe(true);
  });

  test("is complete when the answer to its last part was lost", async () => {
    const task = upload(file(), options());
    peer.faults.push(
      () => false,
      (request, response) => {
        // The server has all of it, and nobody hears of that.
        const { socket } = request;
        response.writeHead = () => {
          socket.destroy();
          return response;
        };
        return false;
      },
    );
    const { id } = await task;
    expect(content.equals(await peer.bytesOf(id))).toBe(true);
    expect(peer.requests.slice(0, 3)).toEqual(["POST", "PATCH@0", "HEAD"]);
  });

  test("is given up on the server as well when it is cancelled", async () => {
    const task = upload(file(), options({ chunkSize: 100_000 }));
    for await (const { progress } of task.snapshots()) {
      if ((progress?.confirmed ?? 0) > 0) break;
    }
    await task.cancel();
    expect(peer.requests.at(-1)).toBe("DELETE");
  });
});

describe("a later process", () => {
  test("goes on where an earlier one stopped, by what is remembered for tus", async () => {
    const resumeStore = new MemoryResumeStore();
    const first = upload(file(), options({ resumeStore, chunkSize: 300_000 }));
    for await (const { progress } of first.snapshots()) {
      if ((progress?.confirmed ?? 0) >= 300_000) break;
    }
    first.abort();
    await failureOf(first);
    const [remembered] = await resumeStore.list();
    expect(remembered?.entry).toMatchObject({ appId: "tus", state: "open" });
    const result = await upload(file(), options({ resumeStore }));
    expect(result.id).toBe(remembered?.entry.id);
    expect(result.resumedFrom).toBeGreaterThanOrEqual(300_000);
    expect(content.equals(await peer.bytesOf(result.id))).toBe(true);
  });
});

describe("a refusal", () => {
  test("carries the server's words, and says where to look", async () => {
    peer.faults.push((_, response) => {
      response.writeHead(404).end("no such page");
      return true;
    });
    const error = await failureOf(upload(file(), options()));
    expect(error).toMatchObject({
      code: "not-found",
      message: 'answered "no such page" (404)',
      hint: `Are uploads made at ${peer.url}?`,
    });
  });

  test("of the version is final", async () => {
    peer.faults.push((_, response) => {
      response.writeHead(412, { "tus-version": "0.2.2" }).end("another version");
      return true;
    });
    const error = await failureOf(upload(file(), options()));
    expect(error).toMatchObject({ code: "refused", message: 'answered "another version" (412)' });
  });

  test("is the end where a server answers 201 without saying where the upload is", async () => {
    peer.faults.push((_, response) => {
      response.writeHead(201).end();
      return true;
    });
    const error = await failureOf(upload(file(), options()));
    expect(error).toMatchObject({ code: "refused" });
    expect(error.message).toContain("no Location");
  });
});

test("the token is not given to another origin that uploads are kept at", async () => {
  await using other = await TusPeer.start();
  peer.faults.push((_, response) => {
    response.writeHead(201, { location: `${other.url}/abc` }).end();
    return true;
  });
  const error = await failureOf(upload(file(), options({ token: "secret" })));
  expect(error.code).toBe("not-found");
  expect(other.requests).toEqual(["PATCH@0"]);
  expect(other.headers.some(({ authorization }) => authorization !== undefined)).toBe(false);
});

test("a queue speaks tus as well", async () => {
  const queue = new UploadQueue({ ...options(), parallel: 2 });
  queue.addAll([file("a"), file("b"), file("c")]);
  const { counts } = await queue.settled();
  expect(counts.done).toBe(3);
});

describe("options", () => {
  test("publishing is refused, because tus has none", () => {
    const wrong = Object.assign(options(), { publish: true });
    expect(() => upload(file(), wrong)).toThrow("publish is not there in tus");
  });

  test("a dialect's name is not the dialect", () => {
    const wrong = JSON.parse('{"dialect":"tus"}') as { dialect: typeof tus };
    const error = (() => {
      try {
        return upload(file(), { ...options(), ...wrong });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({
      message: 'dialect is "tus"',
      hint: expect.stringContaining("hawser-client/tus") as unknown,
    });
  });

  test("an address must be given", () => {
    const wrong = { ...options(), url: "" };
    expect(() => upload(file(), wrong)).toThrow('url is ""');
  });
});
