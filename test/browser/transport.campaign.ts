import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { libraryPage, PageServer } from "./support/page-server.ts";
import { shareBrowser } from "./support/share-browser.ts";

vi.setConfig({ testTimeout: 90_000 });

const mib = 1024 * 1024;

let site: PageServer;
let browser: Browser;
let page: Page;
let server: Server;
/** What the server does with a request that is no preflight. */
let answer: RequestListener;

shareBrowser(async (launched, parts) => {
  browser = launched;
  site = parts.use(await PageServer.start(libraryPage));
});

beforeEach(async () => {
  server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "file_offset");
    if (request.method === "OPTIONS") response.end();
    else answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  page = await browser.newPage();
  await page.goto(site.url);
});

afterEach(async () => {
  await page.close();
  server.closeAllConnections();
  server.close();
});

interface Request {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a body of zeros; no body when left out. */
  readonly bodyBytes?: number;
  readonly stallMs?: number;
  readonly answerMs?: number;
  readonly abortAfterMs?: number;
}

/** One exchange from within the page: its answer, or the code of its failure. */
function exchange(verb: "send" | "receive", request: Request) {
  const { port } = server.address() as AddressInfo; // a TCP server always has one
  const url = `http://127.0.0.1:${port}${request.path ?? "/"}`;
  return page.evaluate(
    async ({ verb, url, request }) => {
      const { bodyBytes, headers = {}, stallMs = 20_000, answerMs = 20_000 } = request;
      const blob = new Blob([new Uint8Array(bodyBytes ?? 0)]);
      const body = { length: blob.size, blob: () => blob, open: () => expectNoRead() };
      const expectNoRead = (): AsyncIterable<Uint8Array> => {
        throw new Error("the body was read");
      };
      const sent: number[] = [];
      const { abortAfterMs } = request;
      const signal =
        abortAfterMs === undefined
          ? new AbortController().signal
          : AbortSignal.timeout(abortAfterMs);
      try {
        const got = await hawserPage.browserTransport[verb]({
          method: bodyBytes === undefined ? "GET" : "POST",
          url,
          headers,
          body: bodyBytes === undefined ? undefined : body,
          signal,
          stallMs,
          answerMs,
          onSent: (bytes) => sent.push(bytes),
        });
        let text = "text" in got ? got.text : "";
        if ("body" in got) {
          for await (const chunk of got.body) text += new TextDecoder().decode(chunk);
        }
        return { status: got.status, headers: { ...got.headers }, text, sent };
      } catch (error) {
        return { failure: error instanceof Error && "code" in error ? error.code : String(error) };
      }
    },
    { verb, url, request },
  );
}

const verbs = ["send", "receive"] as const;

test.each(verbs)("%s answers with any status, and the headers a page may see", async (verb) => {
  answer = (_, response) => {
    response.setHeader("access-control-expose-headers", "x-shown");
    response.writeHead(412, { "X-Shown": "a: b", "x-hidden": "c" }).end("no");
  };
  const got = await exchange(verb, {});
  expect(got).toMatchObject({ status: 412, text: "no", headers: { "x-shown": "a: b" } });
  expect(got.headers).not.toHaveProperty("x-hidden");
});

test("what is sent arrives whole, with its length and headers, and is counted", async () => {
  answer = (request, response) => {
    let length = 0;
    request.on("data", (chunk: Buffer) => (length += chunk.length));
    request.on("end", () => {
      const { file_offset: offset, "content-length": announced } = request.headers;
      response.end(JSON.stringify({ length, offset, announced }));
    });
  };
  const got = await exchange("send", {
    headers: { file_offset: "5" },
    bodyBytes: 3 * mib,
  });
  const length = 3 * mib;
  expect(JSON.parse(got.text ?? "")).toEqual({ length, offset: "5", announced: `${length}` });
  expect(got.sent?.at(-1)).toBe(length);
  expect(got.sent).toEqual(got.sent?.toSorted((one, other) => one - other));
});

test.each<[string, RequestListener, Request]>([
  ["takes nothing", (request) => request.pause(), { bodyBytes: 64 * mib, stallMs: 400 }],
  ["does not answer", (request) => request.resume(), { bodyBytes: 5, answerMs: 400 }],
  ["does not answer a request without a body", () => undefined, { stallMs: 400 }],
  ["stops half-way in its answer", (_, response) => response.write("a"), { stallMs: 400 }],
])("a server that %s is given up as stalled", async (_, behave, request) => {
  answer = behave;
  expect(await exchange("send", request)).toEqual({ failure: "stalled" });
});

test("a download that stops half-way is given up as stalled", async () => {
  answer = (_, response) => response.write("a");
  expect(await exchange("receive", { stallMs: 400 })).toEqual({ failure: "stalled" });
});

test.each(verbs)("%s can be stopped", async (verb) => {
  answer = () => undefined;
  expect(await exchange(verb, { abortAfterMs: 100 })).toEqual({ failure: "aborted" });
});

test.each(verbs)("%s takes a connection that breaks for the network's fault", async (verb) => {
  answer = (request) => request.socket.resetAndDestroy();
  expect(await exchange(verb, {})).toEqual({ failure: "network" });
});

test.each(verbs)("%s refuses a path that a browser would change", async (verb) => {
  answer = (_, response) => response.end("reached");
  for (const path of ["/a#b", "/a/../b", "/a b", '/a"b']) {
    expect(await exchange(verb, { path })).toEqual({ failure: "bad-answer" });
  }
  // An id as the service gives it.
  const path = "/v21.0/upload:MTphdHRhY2htZW50/+==?sig=ARabc&fields=a%2Cb";
  expect(await exchange(verb, { path })).toMatchObject({ text: "reached" });
});

test("an answer that is far too long is not taken for one", async () => {
  answer = (_, response) => response.end("x".repeat(5 * mib));
  expect(await exchange("send", {})).toEqual({ failure: "bad-answer" });
});
