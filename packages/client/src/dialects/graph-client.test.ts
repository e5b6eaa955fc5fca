import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectGraph } from "../index.ts";

const id = "upload:MTph/b+c==?sig=ARx";
let server: Server;
let seen: { line: string; headers: IncomingMessage["headers"]; body: string }[];
let answer: { status?: number; headers?: Record<string, string>; body: object | string };

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "", headers } = request;
      seen.push({ line: `${method} ${url}`, headers, body });
      response.writeHead(answer.status ?? 200, answer.headers);
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function connect() {
  // `as` because a listening TCP server has no other kind of address.
  const { port } = server.address() as AddressInfo;
  return connectGraph({ url: `http://127.0.0.1:${port}/base/`, appId: "12", token: "t" });
}

describe("the Graph routes", () => {
  test("start tells the file in the query and the token in the header", async () => {
    answer = { body: { id } };
    const facts = { name: "a b&c+d.pdf", type: "application/pdf", length: 7 };
    expect(await connect().start(facts)).toBe(id);
    expect(seen[0]?.line).toBe(
      "POST /base/v21.0/12/uploads?file_name=a%20b%26c%2Bd.pdf&file_length=7" +
        "&file_type=application%2Fpdf",
    );
    expect(seen[0]?.headers).toMatchObject({ authorization: "OAuth t", "content-length": "0" });
  });

  test("fields are added with & because the id holds a question mark already", async () => {
    answer = { body: { id, file_offset: "5", crc32: "00AB00CD", status: "open" } };
    const upload = await connect().status(id, ["crc32", "status"]);
    expect(seen[0]?.line).toBe(`GET /base/v21.0/${id}&fields=crc32%2Cstatus`);
    expect(upload).toMatchObject({ id, offset: 5, crc32: "00ab00cd", status: "open" });
  });

  test("an upload's id that was cut or changed is told from one that is gone", async () => {
    const message = "HMAC check failed! sessionId=upload:x mac=";
    answer = { status: 400, body: { debug_info: { message, type: "P" } } };
    const cut = id.slice(0, -1);
    const body = { length: 0, open: () => Readable.from([]) };
    const refused = [
      () => connect().status(cut),
      () => connect().cancel(cut),
      () => connect().append({ id: cut, offset: 0, body }),
    ];
    for (const call of refused) {
      const hint = "Use the upload id exactly as it was given, with its ?sig= part.";
      await expect(call()).rejects.toMatchObject({ code: "refused", hint });
    }
  });

  test("publish sends the handle whole and refuses a media id", async () => {
    answer = { body: { id: 987 } };
    expect(await connect().publish("4:a\n4:b", { name: "n" })).toBe("987");
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ handle: "4:a\n4:b", name: "n" });
    await expect(connect().publish("123456")).rejects.toThrow(/not a handle/);
  });

  test("a handle that is refused is told with what a handle is", async () => {
    answer = { status: 400, body: { error: { code: 100, error_subcode: 2494102 } } };
    await expect(connect().publish("4:a")).rejects.toMatchObject({
      code: "handle-invalid",
      hint: expect.stringContaining("newlines and all") as unknown,
    });
  });

  test("a list is a page of records with the cursor of the next", async () => {
    const data = [{ id, file_name: "a", file_length: 9, file_offset: 3, status: "open" }];
    answer = { body: { data, paging: { cursors: { after: "c2" } } } };
    const page = await connect().listUploads({ limit: 1, after: "c1", status: "open" });
    expect(seen[0]?.line).toBe("GET /base/v21.0/12/uploads?status=open&limit=1&after=c1");
    expect(page.after).toBe("c2");
    expect(page.entries[0]).toMatchObject({ id, name: "a", length: 9, offset: 3 });
  });

  test("a download asks for the rest only of the file it began with", async () => {
    answer = { status: 206, headers: { etag: '"e"' }, body: "rest" };
    const download = await connect().download("77", { from: 10, ifRange: '"e"' });
    expect(seen[0]?.line).toBe("GET /base/v21.0/77/content");
    expect(seen[0]?.headers).toMatchObject({ range: "bytes=10-", "if-range": '"e"' });
    expect(await text(download.body)).toBe("rest");
    expect(download.headers.etag).toBe('"e"');
  });

  test("a file is asked for what is known of it, and for nothing to be computed", async () => {
    answer = { body: { id: "77", name: "a.mp4", size: 9, crc32: "00AB00CD" } };
    const file = await connect().file("77");
    expect(file).toMatchObject({ id: "77", name: "a.mp4", size: 9, crc32: "00ab00cd" });
    expect(file.sha256).toBeUndefined();
    expect(seen[0]?.line).toBe("GET /base/v21.0/77");
  });

  test("a file id cannot lead to another path", async () => {
    await expect(connect().file("../x")).rejects.toThrow(/not a file id/);
    expect(seen).toEqual([]);
  });

  test("an id with blanks or line breaks is not accepted from a server", async () => {
    answer = { body: { id: "upload:x\r\nX: y" } };
    await expect(connect().start({ name: "a", type: "a/b", length: 1 })).rejects.toThrow(/no id/);
  });
});
