import { truncate } from "node:fs/promises";
import { describe, expect, it } from "vitest";

import { fileThatBeginsWith } from "../../support/file-that-begins-with.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectUploadError, gone } from "./expect-error.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 200_000;
const bytes = patternBytes({ seed: 111, length });

const damaged = { ...gone, status: 409, debugType: "ProcessingFailedError" } as const;

describe("an upload whose bytes were lost behind the server's back", () => {
  it("is 409 in both envelopes, and the others live on", async (context) => {
    const { api } = target();
    const server = target().ownServer(context);
    const id = await api.start({ file_length: length });
    const other = await api.start();
    await api.append({ id, offset: 0, bytes: bytes.subarray(0, 150_000) });
    await server.kill9();
    const path = await fileThatBeginsWith(server.dataDirectory, bytes.subarray(0, 4096));
    await truncate(path, 100_000);
    await server.restart({ samePort: true });
    expectUploadError(await api.append({ id, offset: 150_000, bytes: Buffer.from("x") }), damaged);
    expectUploadError(await api.status(id), damaged);
    expect(await api.offset(other)).toBe(0);
  });

  it("is not every upload: what was acknowledged before a kill is there after it", async (context) => {
    const { api } = target();
    const server = target().ownServer(context);
    const id = await api.start({ file_length: length });
    const answer = await api.append({ id, offset: 0, bytes: bytes.subarray(0, 150_000) });
    expect(answer.number("file_offset")).toBe(150_000);
    await server.kill9();
    await server.restart({ samePort: true });
    expect(await api.offset(id)).toBe(150_000);
    const rest = await api.append({ id, offset: 150_000, bytes: bytes.subarray(150_000) });
    const content = await api.content(await api.publish(rest.text("h")));
    expect(content.equals(bytes)).toBe(true);
  });
});
