import { basename } from "node:path";
import { expect } from "vitest";

import { GraphApi } from "../../conformance/graph/graph-api.ts";
import type { ServerProcess } from "../../support/server-process.ts";
import { graphOf } from "./page-visit.ts";
import type { SampleFile } from "./sample-file.ts";

/** Fails unless the server has one upload of each file's name, complete and of exactly its bytes. */
export async function expectStored(
  server: ServerProcess,
  files: readonly SampleFile[],
): Promise<void> {
  const ids = await idsByName(server);
  for (const { name, bytes } of files) {
    const [id = "", ...others] = ids.get(basename(name)) ?? [];
    expect(others, `other uploads of ${name}`).toEqual([]);
    const content = await contentOf(server, id, bytes.length);
    expect(content.equals(bytes), `the bytes of ${name}`).toBe(true);
  }
}

/** As `expectStored`, of files that all have the same name and length. */
export async function expectNamesakesStored(
  server: ServerProcess,
  files: readonly SampleFile[],
): Promise<void> {
  const [{ name, bytes } = expect.unreachable("no files")] = files;
  const ids = (await idsByName(server)).get(basename(name)) ?? [];
  const stored = await Promise.all(ids.map((id) => contentOf(server, id, bytes.length)));
  const sorted = (contents: readonly Buffer[]) =>
    contents.map((each) => each.toString("hex")).sort();
  expect(sorted(stored)).toEqual(sorted(files.map((file) => file.bytes)));
}

async function contentOf(server: ServerProcess, id: string, length: number): Promise<Buffer> {
  const { address: url, appId, token } = server;
  const api = new GraphApi({ url, appId, token });
  // Nothing, appended at the end, is answered with the handle once more.
  const end = await api.append({ id, offset: length, bytes: Buffer.alloc(0) });
  return api.content(await api.publish(end.text("h")));
}

async function idsByName(server: ServerProcess): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const graph = graphOf(server);
  let after: string | undefined;
  do {
    const page = await graph.listUploads({ limit: 100, after });
    for (const { name = "", id } of page.entries) found.set(name, [...(found.get(name) ?? []), id]);
    ({ after } = page);
  } while (after !== undefined);
  return found;
}
