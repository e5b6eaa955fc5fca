import { open, readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectProblem } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();

const bytes = patternBytes({ seed: 50, length: 200_000 });

/** The file below the data directory that begins with these bytes, wherever the server keeps it. */
async function fileThatBeginsWith(directory: string, beginning: Buffer): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    await using file = await open(path, "r");
    const found = Buffer.alloc(beginning.length);
    await file.read(found, 0, found.length, 0);
    if (found.equals(beginning)) return path;
  }
  throw new Error("no file holds the upload's bytes");
}

describe("an upload whose bytes were lost behind the server's back", () => {
  it("is deactivated, and every further request is refused", async (context) => {
    const { api, graph } = target();
    const server = graph.ownServer(context);
    const url = await api.begun({ bytes: bytes.subarray(0, 150_000) });
    await server.kill9();
    const path = await fileThatBeginsWith(server.dataDirectory, bytes.subarray(0, 4_096));
    await truncate(path, 100_000);
    await server.restart({ samePort: true });
    expectProblem(await api.append(url, 150_000, { bytes: Buffer.from("x") }), { status: 410 });
    const answer = await api.get(url);
    expectProblem(answer, { status: 410 });
    expect(answer.header("upload-offset")).toBeUndefined();
    expectProblem(await api.append(url, 0, { bytes }), { status: 410 });
  });
});
