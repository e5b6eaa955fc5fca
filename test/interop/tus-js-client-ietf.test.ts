import { Readable } from "node:stream";
import { Upload, type UploadOptions } from "tus-js-client";
import { describe, expect, it } from "vitest";

import type { IetfApi } from "../conformance/ietf/ietf-api.ts";
import { useIetfTarget } from "../conformance/ietf/ietf-target.ts";
import { interopVersions, newest } from "../conformance/ietf/versions.ts";
import { patternBytes, patternChunks } from "../support/seeded.ts";
import { seededPlan, TcpProxy } from "../support/tcp-proxy.ts";
import { optionsFor, sendByJsClient, urlOf, type UploadsPlace } from "./js-upload.ts";

const target = useIetfTarget();

const length = 3_000_000;
const bytes = patternBytes({ seed: 431, length });

/** An option that the library's types do not have. */
type DialectOptions = UploadOptions & { readonly protocol: string };

/** What the client calls them, and which interop versions these are. */
const dialects = [
  { protocol: "ietf-draft-03", interop: 5 },
  { protocol: "ietf-draft-05", interop: 6 },
] as const;

describe.each(dialects)("tus-js-client as $protocol", ({ protocol, interop }) => {
  const version = interopVersions.find((each) => each.interop === interop) ?? newest;

  function api(): IetfApi {
    return target().at(version);
  }

  function place(): UploadsPlace {
    return { url: api().url, authorization: api().authorization };
  }

  /** The upload is complete, and its bytes are these. */
  async function expectCarried(url: URL, expected: Buffer): Promise<void> {
    const status = await api().get(url.href);
    expect(api().completeness(status), status.shown).toBe(true);
    await target().expectContent(url.href, expected);
  }

  const ways: readonly (readonly [string, UploadOptions])[] = [
    ["with its defaults", {}],
    ["in pieces", { chunkSize: 700_000 }],
    ["with bytes in the creation", { uploadDataDuringCreation: true }],
    ["with bytes in the creation, in pieces", { uploadDataDuringCreation: true, chunkSize: 7e5 }],
    ["with POST in place of PATCH", { overridePatchMethod: true }],
    ["with an id in every request", { addRequestId: true }],
  ];

  it.for(ways)("carries a file %s", async ([, options]) => {
    const wanted = { source: bytes, options: { protocol, ...options } };
    await expectCarried(await sendByJsClient(place(), wanted), bytes);
  });

  it("carries a stream whose length comes at its end", async () => {
    const options = { protocol, uploadLengthDeferred: true, chunkSize: 500_000 };
    const pattern = { seed: 432, length: 2_345_678 };
    const source = Readable.from(patternChunks(pattern, 100_000), { objectMode: false });
    const url = await sendByJsClient(place(), { source, options });
    await expectCarried(url, patternBytes(pattern));
  });

  it("gives an upload up", async () => {
    const url = await api().begun();
    const options: DialectOptions = { protocol };
    await Upload.terminate(url, optionsFor(place(), { source: bytes, options }));
    expect((await api().head(url)).status).toBe(404);
  });

  it("goes on with what another one began", async () => {
    const url = await api().begun({ length, bytes: bytes.subarray(0, 1_234_567) });
    const options = { protocol, uploadUrl: url };
    const same = await sendByJsClient(place(), { source: bytes, options });
    expect(same.href).toBe(url);
    await expectCarried(same, bytes);
  });

  it("goes on where it was stopped", async () => {
    const stopped = Promise.withResolvers<undefined>();
    const inPieces: DialectOptions = { protocol, chunkSize: 500_000 };
    const half = new Upload(bytes, {
      ...optionsFor(place(), { source: bytes, options: inPieces }),
      onError: stopped.reject,
      onChunkComplete: (_, accepted) => {
        if (accepted >= 1_500_000) stopped.resolve(undefined);
      },
    });
    half.start();
    await stopped.promise;
    await half.abort();
    const { href } = urlOf(place(), half);
    const options = { protocol, uploadUrl: href };
    await expectCarried(await sendByJsClient(place(), { source: bytes, options }), bytes);
  });

  it.for([
    ["in one request", {}],
    ["in pieces", { chunkSize: 400_000 }],
  ] as const)("carries a file over a network that cuts it off, %s", async ([, more], context) => {
    const plan = seededPlan(433, { afterBytesMax: 900_000, failures: 6 });
    await using proxy = await TcpProxy.start(target().rawAddress(context), plan);
    const endpoint = `${proxy.url}${api().url.pathname}`;
    const wanted = { source: bytes, endpoint, options: { protocol, ...more } };
    await expectCarried(await sendByJsClient(place(), wanted), bytes);
    const happened = proxy.connections.filter((connection) => connection.happened !== undefined);
    expect(happened.length).toBeGreaterThan(0);
  });
});
