import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Upload } from "tus-js-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { GraphPeer } from "../fault/graph-peer.ts";
import { type Dialect, uuidOf } from "../support/dialect-wire.ts";
import { eventually } from "../support/eventually.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { orders, SwitchTrial } from "./switch-trial.ts";

const run = promisify(execFile);

let server: ServerProcess;
let peer: GraphPeer;

beforeAll(async () => {
  server = await ServerProcess.start();
  peer = new GraphPeer(server);
});

afterAll(async () => {
  await server.remove();
});

/** A line of the guide, by the real curl; answers what it printed. */
async function curl(...words: readonly string[]): Promise<string> {
  const { stdout } = await run("curl", ["-s", ...words], { timeout: 25_000 });
  return stdout;
}

function fieldOf(printed: string, name: string): unknown {
  const value: unknown = JSON.parse(printed);
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${printed}`);
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** Starts a session and sends what comes before the connection is cut: the guide's steps 1 and 2. */
async function startByCurl(path: string, length: number): Promise<string> {
  const base = `${server.url}/v21.0`;
  const query = `file_name=big.pdf&file_length=${length}&file_type=application/pdf`;
  const started = await curl(
    ...["-X", "POST", `${base}/${server.appId}/uploads?${query}&access_token=${server.token}`],
  );
  const id = String(fieldOf(started, "id"));
  const cut = curl(
    ...["--limit-rate", "300k", "--max-time", "3", "-X", "POST", `${base}/${id}`],
    ...["--header", `Authorization: OAuth ${server.token}`, "--header", "file_offset: 0"],
    ...["--data-binary", `@${path}`],
  );
  // What curl says when its time is over.
  await expect(cut).rejects.toMatchObject({ code: 28 });
  return id;
}

/** The guide's step 3, until the server has noticed the cut. */
async function offsetByCurl(id: string): Promise<number> {
  const ask = async (): Promise<number> => {
    const header = `Authorization: OAuth ${server.token}`;
    const printed = await curl("-X", "GET", `${server.url}/v21.0/${id}`, "--header", header);
    return Number(fieldOf(printed, "file_offset"));
  };
  return await eventually(
    async () => {
      const [before, after] = [await ask(), await ask()];
      return before > 0 && before === after ? after : undefined;
    },
    { what: "the offset to settle" },
  );
}

/** Goes on where the server says, in parts, and stops after the first of them. */
async function onePartByTusJsClient(id: string, content: Buffer): Promise<number> {
  const stopped = Promise.withResolvers<number>();
  const upload = new Upload(content, {
    uploadUrl: `${server.url}/uploads/${uuidOf(id)}`,
    headers: { Authorization: `Bearer ${server.token}` },
    chunkSize: 1_000_000,
    retryDelays: null,
    onChunkComplete: (_, accepted) => {
      upload.abort().then(() => {
        stopped.resolve(accepted);
      }, stopped.reject);
    },
    onError: stopped.reject,
  });
  upload.start();
  return await stopped.promise;
}

describe("an upload that was started by the guide's curl lines", () => {
  let directory: string;
  let curlMissing: string | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "hawser-switching-"));
    await run("curl", ["--version"]).catch(() => (curlMissing = "curl is not on the PATH"));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it("goes on by tus-js-client and ends by a request of the IETF's draft", async (context) => {
    if (curlMissing !== undefined) context.skip(curlMissing);
    const length = 5_000_000;
    const content = patternBytes({ seed: 71, length });
    const path = join(directory, "big.pdf");
    await writeFile(path, content);

    const id = await startByCurl(path, length);
    const first = await offsetByCurl(id);
    const second = await onePartByTusJsClient(id, content);
    // What came last before the cut may count only now.
    expect(second).toBeGreaterThanOrEqual(first + 1_000_000);
    expect(second).toBeLessThan(length);
    const answer = await fetch(`${server.url}/uploads/${uuidOf(id)}`, {
      method: "PATCH",
      headers: {
        Authorization: `Bearer ${server.token}`,
        "Content-Type": "application/partial-upload",
        "Upload-Offset": `${second}`,
        "Upload-Complete": "?1",
      },
      body: new Uint8Array(content.subarray(second)),
    });
    const printed = await answer.text();
    expect(answer.status, printed).toBe(201);
    expect(answer.headers.get("upload-complete")).toBe("?1");

    const handle = String(fieldOf(printed, "h"));
    expect(await peer.handle(id)).toBe(handle);
    expect((await peer.download(handle)).equals(content)).toBe(true);
  });
});

describe("an upload whose connection is cut in each of its parts", () => {
  it.for(orders.map((order, index) => ({ order, index, named: order.join(", then ") })))(
    "is one file with one handle: $named",
    async ({ order, index }) => {
      await new SwitchTrial(server, 7_100 + index).run(order);
    },
  );
});

describe("an upload whose length is not known", () => {
  const content = patternBytes({ seed: 72, length: 90_000 });
  const [half, most] = [40_000, 70_000];

  async function open(creator: Dialect): Promise<string> {
    const id = await peer.createOrFail(undefined, creator);
    const first = content.subarray(0, half);
    const begun = await peer.append({ id, dialect: creator, from: 0, bytes: first });
    expect(begun, JSON.stringify(begun)).toMatchObject({ status: 200 });
    return id;
  }

  /** As far as Graph can bring it: never to its end. */
  async function goOnByGraph(id: string): Promise<void> {
    for (const [from, to] of [
      [half, most],
      [most, content.length],
      [content.length, content.length],
    ] as const) {
      const answer = await peer.append({ id, from, bytes: content.subarray(from, to) });
      expect(answer, JSON.stringify(answer)).toMatchObject({
        status: 200,
        json: { file_offset: to },
      });
      expect(answer?.json).not.toHaveProperty("h");
      expect((await peer.ask("GET", `${id}&fields=status,file_length`)).json).toMatchObject({
        status: "open",
        file_offset: to,
      });
    }
  }

  const endings = [
    { named: "the length, said by tus", dialect: "tus", uploadLength: content.length },
    { named: "the IETF's word", dialect: "ietf", uploadLength: undefined },
  ] as const;

  it.for(
    (["tus", "ietf"] as const).flatMap((creator) =>
      endings.map((ending) => ({ creator, ...ending })),
    ),
  )(
    "begun by $creator, is not completed by what Graph appends, but by $named",
    async ({ creator, dialect, uploadLength }) => {
      const id = await open(creator);
      await goOnByGraph(id);
      const answer = await peer.append({
        id,
        dialect,
        from: content.length,
        bytes: Buffer.alloc(0),
        isLast: true,
        uploadLength,
      });
      expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200 });
      const handle = String(answer?.json.h);
      expect(await peer.handle(id)).toBe(handle);
      expect((await peer.download(handle)).equals(content)).toBe(true);
    },
  );
});
