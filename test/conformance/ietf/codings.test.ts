import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectOffset } from "./expect-answer.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();
const coded = gzipSync(patternBytes({ seed: 48, length: 5_000 }));

describe("a content coding", () => {
  it("is the client's: offsets and lengths count what was sent, and that is what is kept", async () => {
    const { api } = target();
    const headers = { "Content-Encoding": "gzip" };
    const url = await api.begun({ headers, length: coded.length });
    const answer = await api.append(url, 0, { bytes: coded, complete: true });
    expectOffset(answer, coded.length);
    await target().expectContent(url, coded);
  });
});

describe("a transfer coding", () => {
  it("is taken off before bytes are counted", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: coded, chunked: true });
    expectOffset(answer, coded.length);
  });
});
