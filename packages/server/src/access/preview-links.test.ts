import { describe, expect, it } from "vitest";

import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { limits } from "../base/limits.ts";
import { PreviewLinks, type PreviewTarget, previewPath } from "./preview-links.ts";

const [current, older] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const upload: PreviewTarget = { kind: "upload", id: "3f0c9d1e-8a55-4c1e-9f3a-0123456789ab" };
const file: PreviewTarget = { kind: "file", id: "1234567890" };

function partsOf(path: string): [string, string] {
  const [name = "", signature = ""] = path.slice(previewPath.length).split("?sig=");
  return [name, signature];
}

describe("a preview's link", () => {
  it("names what it shows until its time is over", () => {
    const clock = new ManualClock();
    const links = new PreviewLinks([current], clock);
    for (const target of [upload, file]) {
      const { path, expiresAt } = links.make(target);
      expect(expiresAt).toBe(clock.now() + limits.previewMs);
      expect(links.read(...partsOf(path))).toEqual(target);
    }
    const { path } = links.make(file);
    clock.pass(limits.previewMs - 1);
    expect(links.read(...partsOf(path))).toEqual(file);
    clock.pass(1);
    expect(() => links.read(...partsOf(path))).toThrow(/token_expired/);
  });

  it("is refused when any character of it was altered or is missing", () => {
    const links = new PreviewLinks([current], new ManualClock());
    const [name, signature] = partsOf(links.make(upload).path);
    const altered = (text: string): string[] =>
      Array.from(text, (character, index) => {
        const other = character === "1" ? "2" : "1";
        return text.slice(0, index) + other + text.slice(index + 1);
      });
    for (const other of [...altered(name), name.slice(1), name.slice(0, -1), ""]) {
      expect(() => links.read(other, signature), other).toThrow(/signature_invalid/);
    }
    // A last character of base64 has bits that say nothing.
    for (const other of [...altered(signature), signature.slice(0, -1), ""]) {
      expect(() => links.read(name, other), other).toThrow(/signature_invalid/);
    }
  });

  it("is accepted under an older key that is still known, and under no other", () => {
    const clock = new ManualClock();
    const parts = partsOf(new PreviewLinks([older], clock).make(file).path);
    expect(new PreviewLinks([current, older], clock).read(...parts)).toEqual(file);
    expect(() => new PreviewLinks([current], clock).read(...parts)).toThrow(/signature_invalid/);
  });
});
