import { truncate } from "node:fs/promises";
import { describe, expect, it } from "vitest";

import { fileThatBeginsWith } from "../../support/file-that-begins-with.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectEnded } from "./expect-answer.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();

const bytes = patternBytes({ seed: 50, length: 200_000 });

describe("an upload whose bytes were lost behind the server's back", () => {
  it("is deactivated, and every further request is refused", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const server = graph.ownServer(context);
    const url = await api.begun({ bytes: bytes.subarray(0, 150_000) });
    await server.kill9();
    const path = await fileThatBeginsWith(server.dataDirectory, bytes.subarray(0, 4_096));
    await truncate(path, 100_000);
    await server.restart({ samePort: true });
    expectEnded(await api.append(url, 150_000, { bytes: Buffer.from("x") }), 410);
    const answer = await api.get(url);
    expectEnded(answer, 410);
    expect(answer.header("upload-offset")).toBeUndefined();
    expectEnded(await api.append(url, 0, { bytes }), 410);
  });
});
