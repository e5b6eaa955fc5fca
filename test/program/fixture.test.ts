import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";

import { migrations } from "../../packages/server/src/catalog/migrations/migrations.ts";
import { expectUploadError, gone, unknownToken } from "../conformance/graph/expect-error.ts";
import { GraphApi } from "../conformance/graph/graph-api.ts";
import type { DataDirectoryFacts, KnownUpload } from "../fixtures/data-directory-facts.ts";
import { Cli } from "../support/cli.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const names = (await readdir(fixtures, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && entry.name.startsWith("data-directory-"))
  .map(({ name }) => name);

it("there is a data directory of every version of the schema", () => {
  const versions = names.map((name) => Number(name.replace("data-directory-", "")));
  const schemas = Object.keys(migrations).map((_, at) => at + 1);
  expect(versions.sort((a, b) => a - b)).toEqual(schemas);
});

async function factsOf(name: string): Promise<DataDirectoryFacts> {
  // The script beside it wrote it in this shape.
  return JSON.parse(await readFile(join(fixtures, `${name}.json`), "utf8")) as DataDirectoryFacts;
}

const bytesOf = ({ seed, length }: KnownUpload) => patternBytes({ seed, length });

describe.for(names)("%s in this version", (name) => {
  let server: ServerProcess;
  let facts: DataDirectoryFacts;
  let api: GraphApi;

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "hawser-fixture-"));
    const dataDirectory = join(directory, "data");
    await cp(join(fixtures, name), dataDirectory, { recursive: true });
    const read = await factsOf(name);
    // Nothing is configured: app, secret and tokens must come out of the directory.
    const environment = { HAWSER_APP_ID: "", HAWSER_APP_SECRET: "", HAWSER_TOKEN: "" };
    // Swept when the last test asks for it, and not before.
    const extraArguments = ["--sweep-interval-seconds", "86400"];
    const started = await ServerProcess.start({ dataDirectory, environment, extraArguments });
    const { appId, token } = read;
    [server, facts] = [started, read];
    api = new GraphApi({ url: started.address, appId, token });
    return async () => {
      await started.remove();
      await rm(directory, { recursive: true, force: true });
    };
  });

  async function expectPublishes(upload: KnownUpload): Promise<void> {
    const content = await api.content(await api.publish(upload.handle));
    expect(content.equals(bytesOf(upload))).toBe(true);
  }

  it("knows the cancelled upload", async () => {
    expectUploadError(await api.status(facts.uploads.cancelled.id), gone);
  });

  it("goes on with the open upload where it stopped", async () => {
    const { open } = facts.uploads;
    const whole = bytesOf(open);
    const { json } = await api.status(open.id, "status,file_length,crc32");
    const crc = crc32(whole.subarray(0, open.offset)).toString(16).padStart(8, "0");
    const stands = { id: open.id, file_offset: open.offset, file_length: open.length };
    expect(json).toEqual({ ...stands, status: "open", crc32: crc });
    const middle = open.offset + 1_000;
    for (const [from, to] of [
      [open.offset, middle],
      [middle, open.length],
    ] as const) {
      const bytes = whole.subarray(from, to);
      const answer = await api.append({ id: open.id, offset: from, bytes });
      expect(answer.status, answer.body.toString()).toBe(200);
    }
    const handle = (await api.status(open.id, "h")).text("h");
    await expectPublishes({ ...open, handle });
  });

  it.for(["inline", "unpublished"] as const)("publishes the handle: %s", async (which) => {
    const upload = facts.uploads[which];
    expect((await api.status(upload.id, "h")).text("h")).toBe(upload.handle);
    await expectPublishes(upload);
  });

  it("gives the published file, and its id again for its handle", async () => {
    const { published } = facts.uploads;
    const content = await api.content(facts.fileId);
    expect(content.equals(bytesOf(published))).toBe(true);
    const { json } = await api.get(`/v21.0/${facts.fileId}?fields=name,size`);
    expect(json).toMatchObject({ name: "published.pdf", size: published.length });
    expect(await api.publish(published.handle)).toBe(facts.fileId);
  });

  it("has the app's settings, and new ones as a new app has them", async () => {
    const shown: unknown = JSON.parse(
      await new Cli(server.dataDirectory).run(["app", "show", facts.appId]),
    );
    expect(shown).toMatchObject(facts.settings ?? { digestPolicy: "on_request" });
    if (facts.settings === undefined) expect(shown).not.toHaveProperty("roomBytesMax");
    const sha256 = createHash("sha256").update(bytesOf(facts.uploads.published)).digest("hex");
    const path = `/v21.0/${facts.fileId}`;
    // One that was known is shown unasked.
    const unasked = (await api.get(path)).json.sha256;
    expect(unasked).toBe(facts.settings === undefined ? undefined : sha256);
    expect((await api.get(`${path}?fields=sha256`)).json.sha256).toBe(sha256);
  });

  it("takes every token that was good, and none that was revoked", async () => {
    const { appId, appSecret, token, extraToken, revokedToken } = facts;
    for (const each of [token, extraToken, `${appId}|${appSecret}`]) {
      const { status } = await api.as({ token: each }).status(facts.uploads.inline.id);
      expect(status).toBe(200);
    }
    const refused = await api.as({ token: revokedToken }).status(facts.uploads.inline.id);
    expectUploadError(refused, unknownToken);
  });

  it("loses nothing in a sweep, and every byte is still as it was", async () => {
    const cli = new Cli(server.dataDirectory);
    expect(JSON.parse(await cli.run(["sweep"]))).toMatchObject({ expiredUploads: 0 });
    const verified: unknown = JSON.parse(await cli.run(["verify"]));
    const { open, inline, unpublished, published } = facts.uploads;
    const kept = [open, inline, unpublished, published];
    const bytes = kept.reduce((sum, { length }) => sum + length, 0);
    expect(verified).toEqual({ blobs: kept.length, bytes, damaged: [] });
    for (const upload of kept.slice(1)) {
      const content = await api.content(await api.publish(upload.handle));
      expect(content.equals(bytesOf(upload))).toBe(true);
    }
    expect(await readdir(join(server.dataDirectory, "quarantine"))).toEqual([]);
  });
});
