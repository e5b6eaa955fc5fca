import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { Cli } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { runHawser } from "./hawser-command.ts";

const KiB = 1024;
// Each command is a process of its own, which a busy machine takes seconds to start.
const timeout = 120_000;
// Within the catalog, in a file, and beyond what is hashed in one go.
const lengths = [5_000, 100 * KiB, 3_000 * KiB];

async function startServer(context: TestContext): Promise<ServerProcess> {
  const server = await ServerProcess.start();
  context.onTestFinished(() => server.remove());
  return server;
}

function apiOf({ address: url, appId, token }: ServerProcess): GraphApi {
  return new GraphApi({ url, appId, token });
}

interface Published {
  readonly id: string;
  readonly sha256: string;
}

async function publishAll(api: GraphApi): Promise<Published[]> {
  const published: Published[] = [];
  for (const [seed, length] of lengths.entries()) {
    const bytes = patternBytes({ seed, length });
    const id = await api.publish(await api.upload(bytes));
    published.push({ id, sha256: createHash("sha256").update(bytes).digest("hex") });
  }
  return published;
}

/** What is known without asking for it: a request without `fields` computes nothing. */
async function knownSha256(api: GraphApi, id: string): Promise<unknown> {
  return (await api.get(`/v21.0/${id}`)).json.sha256;
}

describe("the digest policy", () => {
  it(
    "on_publish has the SHA-256 of every file known soon, in its fields and in the list",
    { timeout },
    async (context) => {
      const server = await startServer(context);
      const api = apiOf(server);
      await new Cli(server.dataDirectory).run([
        ...["app", "update", server.appId],
        ...["--digest-policy", "on_publish"],
      ]);
      const published = await publishAll(api);
      for (const { id, sha256 } of published) {
        // At once, whether or not it was its turn yet.
        expect((await api.get(`/v21.0/${id}?fields=sha256`)).json).toEqual({ id, sha256 });
      }
      const unasked = await publishAll(api);
      for (const { id, sha256 } of unasked) {
        const known = () => knownSha256(api, id);
        expect(await eventually(known, { what: `the SHA-256 of ${id}` })).toBe(sha256);
      }
      const list = await api.get(`/v21.0/${server.appId}/files?limit=100`);
      const listed = new Map(list.records("data").map(({ id, sha256 }) => [id, sha256]));
      for (const { id, sha256 } of [...published, ...unasked]) expect(listed.get(id)).toBe(sha256);
    },
  );

  it(
    "on_request computes nothing, and what is due is found in the rows by a later process",
    { timeout },
    async (context) => {
      const server = await startServer(context);
      const published = await publishAll(apiOf(server));
      const cli = new Cli(server.dataDirectory);
      // An app of the other policy has its files computed, so that looking was done meanwhile.
      const other = { id: "777", secret: "other-app-secret", digestPolicy: "on_publish" } as const;
      await cli.createApp(other);
      const otherApi = apiOf(server).as({ appId: other.id, token: `${other.id}|${other.secret}` });
      const [its] = await publishAll(otherApi);
      const itsKnown = () => knownSha256(otherApi, its?.id ?? "");
      expect(await eventually(itsKnown, { what: "the other app's SHA-256" })).toBe(its?.sha256);
      for (const { id } of published) expect(await knownSha256(apiOf(server), id)).toBeUndefined();

      await server.kill9();
      await cli.run(["app", "update", server.appId, "--digest-policy", "on_publish"]);
      await server.restart();
      for (const { id, sha256 } of published) {
        const known = () => knownSha256(apiOf(server), id);
        expect(await eventually(known, { what: `the SHA-256 of ${id}` })).toBe(sha256);
      }
    },
  );
});

describe("hawser get", () => {
  it("does not have the SHA-256 computed", { timeout }, async (context) => {
    const server = await startServer(context);
    const { appId, token } = server;
    const directory = await makeDirectory(context);
    for (const { id, sha256 } of await publishAll(apiOf(server))) {
      const place = join(directory, id);
      const target = ["--to", server.url, "--app", appId, "--token", token];
      const got = await runHawser(["get", id, "-o", place, ...target], {
        stateDirectory: directory,
      });
      expect(got.code, got.stderr).toBe(0);
      const bytes = await readFile(place);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
      expect(await knownSha256(apiOf(server), id)).toBeUndefined();
    }
  });
});

async function makeDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hawser-settings-"));
  context.onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe("hawser app", () => {
  const settings = ["--digest-policy", "on_publish", "--room-bytes-max", "5000"];
  const set = { digestPolicy: "on_publish", roomBytesMax: 5_000 };

  async function expectSettings(cli: Cli): Promise<void> {
    const app = async (...command: readonly string[]): Promise<unknown> =>
      JSON.parse(await cli.run(["app", ...command]));
    expect(await app("create", "--id", "1001", ...settings)).toMatchObject(set);
    // What is not said stays.
    expect(await app("update", "1001", "--name", "renamed")).toMatchObject(set);
    await app("update", "1001", "--room-bytes-max", "none");
    const left = await app("show", "1001");
    expect(left).toMatchObject({ name: "renamed", digestPolicy: "on_publish" });
    expect(left).not.toHaveProperty("roomBytesMax");
  }

  it(
    "sets, keeps and takes away an app's settings through the server that runs",
    { timeout },
    async (context) => {
      const server = await startServer(context);
      const cli = new Cli(server.dataDirectory);
      const plain: unknown = JSON.parse(await cli.run(["app", "show", server.appId]));
      expect(plain).toMatchObject({ digestPolicy: "on_request" });
      expect(plain).not.toHaveProperty("roomBytesMax");
      await expectSettings(cli);
    },
  );

  it("does so on the directory when none runs", { timeout }, async (context) => {
    await expectSettings(new Cli(join(await makeDirectory(context), "data")));
  });

  it.for([
    ["--digest-policy", "always"],
    ["--room-bytes-max", "0"],
    ["--lifetime-seconds", "3153600001"],
  ] as const)("refuses %s %s as a mistake in the command", async ([flag, value], context) => {
    const command = ["app", "update", "1001", flag, value];
    const stateDirectory = await makeDirectory(context);
    const { code, stderr } = await runHawser(command, { stateDirectory });
    expect(code).toBe(2);
    expect(stderr).toContain(flag);
  });
});
