import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();
const coded = gzipSync(patternBytes({ seed: 48, length: 5_000 }));

describe("a content coding", () => {
  it("is the client's: offsets and lengths count what was sent, and that is what is kept", async () => {
    const { api, graph } = target();
    const headers = { "Content-Encoding": "gzip" };
    const url = await api.begun({ headers, length: coded.length });
    const answer = await api.append(url, 0, { bytes: coded, complete: true });
    expect(answer.offset).toBe(coded.length);
    const file = await graph.api.publish(String(answer.json.h));
    expect((await graph.api.content(file)).equals(coded)).toBe(true);
  });
});

describe("a transfer coding", () => {
  it("is taken off before bytes are counted", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: coded, chunked: true });
    expect(answer.offset).toBe(coded.length);
  });
});
