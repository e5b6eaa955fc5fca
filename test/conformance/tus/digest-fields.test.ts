import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 351, length: 40_000 });
const length = { "Upload-Length": `${bytes.length}` };
const others = Buffer.from("others");

function fieldOf(algorithm: "sha256" | "sha512", content: Uint8Array): string {
  const digest = createHash(algorithm).update(content).digest("base64");
  return `${algorithm === "sha256" ? "sha-256" : "sha-512"}=:${digest}:`;
}

describe("Content-Digest of a PATCH", () => {
  it.for(["sha256", "sha512"] as const)(
    "in %s must be that of its bytes",
    async (name, context) => {
      target().hawser(context);
      const { api } = target();
      const url = await api.create(length);
      const patch = (content: Uint8Array) => {
        const headers = { "Content-Digest": fieldOf(name, content) };
        return api.patch({ url, offset: 0, bytes, headers });
      };
      const refused = await patch(others);
      expect(refused.status, refused.seen).toBe(460);
      expect(await api.offsetOf(url)).toBe(0);
      expect((await patch(bytes)).status).toBe(204);
      expect((await target().content(url)).equals(bytes)).toBe(true);
    },
  );
});

describe("Repr-Digest of a creation", () => {
  it("that is right lets the upload complete", async (context) => {
    target().hawser(context);
    const url = await target().api.upload(bytes, { "Repr-Digest": fieldOf("sha256", bytes) });
    expect((await target().content(url)).equals(bytes)).toBe(true);
  });

  it("that is wrong rejects the upload when it would be complete", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create({ ...length, "Repr-Digest": fieldOf("sha256", others) });
    const answer = await api.patch({ url, offset: 0, bytes });
    expect(answer.status, answer.seen).toBe(422);
    expect((await api.head(url)).status).toBe(422);
  });
});

describe("Want-Repr-Digest", () => {
  it("is answered by HEAD once the upload is complete", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create(length);
    const ask = () => {
      const headers = { "Want-Repr-Digest": "sha-256=1" };
      return api.request({ method: "HEAD", url, headers });
    };
    expect((await ask()).header("repr-digest")).toBeUndefined();
    await api.patch({ url, offset: 0, bytes });
    expect((await ask()).header("repr-digest")).toBe(fieldOf("sha256", bytes));
    expect((await api.head(url)).header("repr-digest")).toBeUndefined();
  });
});
