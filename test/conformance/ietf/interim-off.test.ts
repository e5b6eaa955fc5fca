import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectTaken } from "./expect-answer.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget({});
const bytes = patternBytes({ seed: 41, length: 2_000 });

describe("a server that was not told to send interim answers", () => {
  it.for(interopVersions)("sends none, interop $interop", async (version, context) => {
    target().hawser(context).ownServer(context);
    const api = target().at(version);
    const created = await api.create({ bytes });
    expectTaken(created, 201);
    const answer = await api.append(created.location, bytes.length, { complete: true });
    expectTaken(answer, 201);
    expect([...created.interim, ...answer.interim]).toEqual([]);
  });

  it("announces none in the answer to OPTIONS", async (context) => {
    target().hawser(context).ownServer(context);
    const answer = await target().api.unnamed().request({ method: "OPTIONS", url: "/uploads" });
    expect(answer.header("upload-draft-interop-version")).toBeUndefined();
  });
});
