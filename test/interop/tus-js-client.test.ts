import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type HttpRequest, Upload, type UploadOptions } from "tus-js-client";
import { describe, expect, it } from "vitest";

import { useTusTarget } from "../conformance/tus/tus-target.ts";
import { patternBytes, patternChunks } from "../support/seeded.ts";
import { seededPlan, TcpProxy } from "../support/tcp-proxy.ts";
import { optionsFor, sendByJsClient, urlOf } from "./js-upload.ts";

const target = useTusTarget();

const length = 3_000_000;
const bytes = patternBytes({ seed: 401, length });

async function expectCarried(options: UploadOptions, source = bytes): Promise<URL> {
  const url = await sendByJsClient(target().api, { source, options });
  expect((await target().content(url)).equals(source)).toBe(true);
  return url;
}

describe("tus-js-client", () => {
  const ways: readonly (readonly [string, UploadOptions])[] = [
    ["with its defaults", {}],
    ["in pieces", { chunkSize: 700_000 }],
    ["in four parts at once", { parallelUploads: 4 }],
    ["in four parts at once, each in pieces", { parallelUploads: 4, chunkSize: 200_000 }],
    ["with bytes in the creation", { uploadDataDuringCreation: true }],
    [
      "with bytes in the creation, in pieces",
      { uploadDataDuringCreation: true, chunkSize: 700_000 },
    ],
    ["with POST in place of PATCH", { overridePatchMethod: true }],
    ["with an id in every request", { addRequestId: true }],
  ];

  it.for(ways)("carries a file %s", async ([, options]) => {
    await expectCarried(options);
  });

  it("carries a file with its name and type", async () => {
    const metadata = { filename: "größe ✓.pdf", filetype: "application/pdf" };
    const url = await expectCarried({ metadata });
    const told = (await target().api.head(url)).header("upload-metadata") ?? "";
    const pairs = told.split(",").map((pair) => pair.split(" "));
    const read = pairs.map(([key, value = ""]) => [key, Buffer.from(value, "base64").toString()]);
    expect(Object.fromEntries(read)).toEqual(metadata);
  });

  it("carries parts at once whose whole has the name", async () => {
    const metadata = { filename: "whole.bin" };
    const url = await expectCarried({ metadata, parallelUploads: 3 });
    const head = await target().api.head(url);
    expect(head.header("upload-concat")).toMatch(/^final;/);
    expect(head.header("upload-metadata")).toBe(`filename ${btoa("whole.bin")}`);
  });

  it("carries a file of no bytes", async () => {
    await expectCarried({}, Buffer.alloc(0));
  });

  it("carries a stream whose length comes at its end", async () => {
    const options = { uploadLengthDeferred: true, chunkSize: 500_000 };
    const source = Readable.from(patternChunks({ seed: 402, length: 2_345_678 }, 100_000), {
      objectMode: false,
    });
    const url = await sendByJsClient(target().api, { source, options });
    const expected = patternBytes({ seed: 402, length: 2_345_678 });
    expect((await target().content(url)).equals(expected)).toBe(true);
  });

  it("carries a file from a disk", async () => {
    const directory = await mkdtemp(join(tmpdir(), "hawser-tus-js-"));
    try {
      const path = join(directory, "file.bin");
      await writeFile(path, bytes);
      const source = createReadStream(path);
      const url = await sendByJsClient(target().api, { source });
      expect((await target().content(url)).equals(bytes)).toBe(true);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it("gives an upload up", async () => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": "10" });
    await Upload.terminate(url.href, optionsFor(api, { source: bytes }));
    expect((await api.head(url)).status).toBe(410);
  });

  it("goes on with what another one began", async () => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": `${length}` });
    await api.patch({ url, offset: 0, bytes: bytes.subarray(0, 1_234_567) });
    const options = { uploadUrl: url.href };
    const same = await sendByJsClient(api, { source: bytes, options });
    expect(same.href).toBe(url.href);
    expect((await target().content(url)).equals(bytes)).toBe(true);
  });

  it("goes on where it was stopped", async () => {
    const { api } = target();
    const stopped = Promise.withResolvers<undefined>();
    const half = new Upload(bytes, {
      ...optionsFor(api, { source: bytes, options: { chunkSize: 500_000 } }),
      onError: stopped.reject,
      onChunkComplete: (_, accepted) => {
        if (accepted >= 1_500_000) stopped.resolve(undefined);
      },
    });
    half.start();
    await stopped.promise;
    await half.abort();
    const { href } = urlOf(api, half);
    const url = await sendByJsClient(api, { source: bytes, options: { uploadUrl: href } });
    expect((await target().content(url)).equals(bytes)).toBe(true);
  });
});

describe("tus-js-client on a network that cuts it off", () => {
  const ways: readonly (readonly [string, UploadOptions])[] = [
    ["in one request", {}],
    ["in pieces", { chunkSize: 400_000 }],
    ["in four parts at once", { parallelUploads: 4 }],
  ];

  it.for(ways)("carries a file %s", async ([, options], context) => {
    const { api } = target();
    const plan = seededPlan(403, { afterBytesMax: 900_000, failures: 6 });
    await using proxy = await TcpProxy.start(target().rawAddress(context), plan);
    const endpoint = `${proxy.url}${api.url.pathname}`;
    const url = await sendByJsClient(api, { source: bytes, endpoint, options });
    expect((await target().content(url)).equals(bytes)).toBe(true);
    const happened = proxy.connections.filter((connection) => connection.happened !== undefined);
    expect(happened.length).toBeGreaterThan(0);
  });

  it("carries a file in four parts at once though what puts them together is cut", async (context) => {
    const { api } = target();
    await using proxy = await TcpProxy.start(target().rawAddress(context));
    let closings = 0;
    const onBeforeRequest = (request: HttpRequest) => {
      if (request.getHeader("Upload-Concat")?.startsWith("final") !== true) return;
      closings += 1;
      if (closings > 1) return;
      const next = proxy.connections.length;
      proxy.setPlan((index) =>
        index === next ? { toServer: { afterBytes: 0, fault: "reset" } } : {},
      );
      proxy.resetAll();
    };
    const options = { parallelUploads: 4, onBeforeRequest };
    const endpoint = `${proxy.url}${api.url.pathname}`;
    const url = await sendByJsClient(api, { source: bytes, endpoint, options });
    expect((await target().content(url)).equals(bytes)).toBe(true);
    expect(closings).toBe(2);
  });
});
