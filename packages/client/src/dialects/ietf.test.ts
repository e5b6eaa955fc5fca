import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StandardUploadOptions, Transport } from "../index.ts";
import { nodePlatform, nodeTransport, upload } from "../index.ts";
import type { Handler } from "../testing/fake-ietf.ts";
import { FakeIetf } from "../testing/fake-ietf.ts";
import { failureOf } from "../testing/upload-case.ts";
import { ietf } from "./ietf.ts";

const content = randomBytes(1_000_000);
const url = "/uploads/1";
let fake: FakeIetf;

beforeEach(async () => {
  fake = await FakeIetf.listen();
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

function options(more: Partial<StandardUploadOptions> = {}): StandardUploadOptions {
  const retry = { waitMs: 5, attempts: 6 };
  return { dialect: ietf, url: fake.url, retry, stallMs: 20_000, answerMs: 20_000, ...more };
}

const file = (name = '50% "Füße\'s".bin') => new File([content], name, { lastModified: 1 });

/** Makes the upload as the server itself would. */
const made: Handler = (request, response) => {
  request.resume();
  fake.kept = Buffer.alloc(0);
  fake.isComplete = false;
  response.writeHead(201, { location: url }).end();
};

describe("an upload by the IETF's draft", () => {
  test("is made empty and completed by its last part", async () => {
    const result = await upload(file(), options());
    expect(fake.requests).toEqual(["POST /uploads ?0", `PATCH ${url} @0 ?1`]);
    expect(fake.kept.equals(content)).toBe(true);
    expect(result).toMatchObject({ id: `${fake.url}${url}`, handle: `${fake.url}${url}` });
  });

  test("says length, type and name in the headers of the draft", async () => {
    await upload(file(), options({ token: "secret", type: "text/plain" }));
    expect(fake.headers[0]).toMatchObject({
      "upload-length": String(content.length),
      "content-type": "text/plain",
      "content-disposition":
        'inline; filename="50% _F__e\'s_.bin"; ' +
        "filename*=UTF-8''50%25%20%22F%C3%BC%C3%9Fe%27s%22.bin",
      authorization: "Bearer secret",
    });
    expect(fake.headers[1]).toMatchObject({ "content-type": "application/partial-upload" });
  });

  test("names no version, so that no server sends an interim answer that a proxy chokes on", async () => {
    await upload(file(), options());
    expect(fake.headers).toHaveLength(2);
    for (const headers of fake.headers) {
      expect(headers).not.toHaveProperty("upload-draft-interop-version");
    }
  });

  test("keeps the parts in between open", async () => {
    await upload(file(), options({ chunkSize: 400_000 }));
    expect(fake.requests.slice(1)).toEqual([
      `PATCH ${url} @0 ?0`,
      `PATCH ${url} @400000 ?0`,
      `PATCH ${url} @800000 ?1`,
    ]);
  });

  test("sends no more at once than the server's limit", async () => {
    fake.limit = "max-age=60, max-append-size=600000";
    await upload(file(), options({ chunkSize: 900_000 }));
    expect(fake.requests.slice(1)).toEqual([`PATCH ${url} @0 ?0`, `PATCH ${url} @600000 ?1`]);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("may be of no bytes at all", async () => {
    await upload(new File([], "empty.txt"), options());
    expect(fake.requests.at(-1)).toBe(`PATCH ${url} @0 ?1`);
    expect(fake.isComplete).toBe(true);
  });

  test("goes on where the server is after a cut", async () => {
    fake.faults.push(made, async (request) => {
      await fake.keep(request, 300_000);
      request.socket.destroy();
    });
    const result = await upload(file(), options());
    expect(fake.kept.equals(content)).toBe(true);
    expect(fake.requests.slice(2)).toEqual([`HEAD ${url}`, `PATCH ${url} @300000 ?1`]);
    expect(result.retries).toBe(1);
  });

  test("is complete when the answer to its last part was lost", async () => {
    fake.faults.push(made, async (request) => {
      await fake.keep(request);
      fake.isComplete = true;
      request.socket.destroy();
    });
    const { handle } = await upload(file(), options());
    expect(handle).toBe(`${fake.url}${url}`);
    // Once for the offset, once for the answer.
    expect(fake.requests.slice(2)).toEqual([`HEAD ${url}`, `HEAD ${url}`]);
  });

  test("is told to be over when all of it arrived and that was lost", async () => {
    fake.faults.push(made, async (request) => {
      await fake.keep(request);
      request.socket.destroy();
    });
    await upload(file(), options());
    expect(fake.requests.slice(2)).toEqual([
      `HEAD ${url}`,
      `HEAD ${url}`,
      `PATCH ${url} @1000000 ?1`,
    ]);
    expect(fake.isComplete).toBe(true);
  });

  test("is given up on the server as well when it is cancelled", async () => {
    const task = upload(file(), options({ chunkSize: 100_000 }));
    for await (const { progress } of task.snapshots()) {
      if ((progress?.confirmed ?? 0) > 0) break;
    }
    await task.cancel();
    expect(fake.requests.at(-1)).toBe(`DELETE ${url}`);
  });
});

test("the handle is had behind a proxy that ends TLS, of a server that does not know of it", async () => {
  const described = `http://${new URL(fake.url).host}/described?fields=`;
  fake.faults.push(
    made,
    async (request, response) => {
      await fake.keep(request);
      response.setHeader("link", `<${described}h>; rel="describedby"`);
      response.writeHead(200, { "upload-complete": "?1" }).end();
    },
    (_, response) => {
      response.end('{"h":"4:handle"}');
    },
  );
  const transport: Transport = {
    send: (request) => {
      expect(request.url).toMatch(/^https:/);
      return nodeTransport.send({ ...request, url: request.url.replace("https:", "http:") });
    },
  };
  const url = fake.url.replace("http:", "https:");
  const { handle } = await upload(file(), options({ url }), { ...nodePlatform, transport });
  expect(handle).toBe("4:handle");
  expect(fake.requests.at(-1)).toBe("GET /described?fields=h");
});

test("the handle is asked for again when the server fails to tell it or did not understand, and not when it refuses to", async () => {
  for (const [status, wanted] of [
    [503, "4:handle"],
    [400, "4:handle"],
    [403, `${fake.url}${url}`],
  ] as const) {
    fake.link = "/described?fields=h";
    fake.described = '{"h":"4:handle"}';
    fake.faults.push(
      made,
      async (request, response) => {
        await fake.keep(request);
        fake.isComplete = true;
        response.writeHead(200, { "upload-complete": "?1" }).end();
      },
      (_, response) => {
        response.writeHead(status).end();
      },
    );
    const { handle } = await upload(file(), options());
    expect(handle).toBe(wanted);
  }
});

describe("a refusal", () => {
  test("is read from a problem of RFC 9457", async () => {
    fake.faults.push((request, response) => {
      request.resume();
      const type = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";
      response.writeHead(400, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ type, title: "inconsistent length values for upload" }));
    });
    const error = await failureOf(upload(file(), options()));
    expect(error).toMatchObject({
      code: "refused",
      message: "inconsistent length values for upload (400)",
      facts: { type: expect.stringContaining("inconsistent-upload-length") as unknown },
    });
  });

  test("of a complete upload is final, also when it is the server's own fault", async () => {
    fake.faults.push(made, (request, response) => {
      request.resume();
      response.writeHead(500, { "upload-complete": "?1" });
      response.end(JSON.stringify({ title: "no film" }));
    });
    const error = await failureOf(upload(file(), options()));
    expect(error).toMatchObject({ code: "refused", message: "no film (500)" });
    expect(fake.requests).toHaveLength(2);
  });

  test("for having no such upload is said as that", async () => {
    fake.faults.push((request, response) => {
      request.resume();
      response.writeHead(201, { location: "/uploads/2" }).end();
    });
    const error = await failureOf(upload(file(), options()));
    expect(error).toMatchObject({ code: "not-found" });
  });
});
