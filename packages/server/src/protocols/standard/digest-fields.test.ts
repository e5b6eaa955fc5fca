import { describe, expect, it } from "vitest";

import {
  contentDigestOf,
  wantsWholeDigest,
  wholeDigestField,
  wholeSha256Of,
} from "./digest-fields.ts";

function request(headers: Readonly<Record<string, string>>) {
  return { header: (name: string): string | undefined => headers[name.toLowerCase()] };
}

const sequence = (bytes: Buffer): string => `:${bytes.toString("base64")}:`;

describe("digest fields", () => {
  it("choose the strongest algorithm that is known", () => {
    const [sha256, sha512] = [Buffer.alloc(32, "hi"), Buffer.alloc(64)];
    const both = `md5=:AAAA:, sha-256=${sequence(sha256)}, sha-512=${sequence(sha512)}`;
    expect(contentDigestOf(request({ "content-digest": both }))?.algorithm).toBe("sha512");
    const one = `sha-256=${sequence(sha256)}, unixsum=:AAAA:`;
    const found = contentDigestOf(request({ "content-digest": one }));
    expect(found?.algorithm).toBe("sha256");
    expect(Buffer.from(found?.expected() ?? []).equals(sha256)).toBe(true);
  });

  it.for(["", "md5=:AAAA:", "sha-256=text", 'sha-256="aGk="', "sha-256"])(
    "%j says nothing of a content",
    (header) => {
      expect(contentDigestOf(request({ "content-digest": header }))).toBeUndefined();
    },
  );

  it("with another number of bytes than the algorithm has are refused", () => {
    for (const digest of ["sha-256=:aGk=:", "sha-512=:aGk=:", "sha-256=::"]) {
      expect(() => contentDigestOf(request({ "content-digest": digest }))).toThrow(
        /^parameter_invalid /,
      );
    }
    expect(() => wholeSha256Of(request({ "repr-digest": "sha-256=:aGk=:" }))).toThrow(
      /^parameter_invalid /,
    );
  });

  it("say the SHA-256 of a whole, there and back", () => {
    const sha256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    const field = wholeDigestField(sha256)["Repr-Digest"];
    expect(field).toBe("sha-256=:uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=:");
    expect(wholeSha256Of(request({ "repr-digest": field }))).toBe(sha256);
    expect(wholeSha256Of(request({}))).toBeUndefined();
  });

  it.for([
    ["sha-256=1", true],
    ["sha-512=10, sha-256=3", true],
    ["sha-256=0", false],
    ["sha-512=10", false],
    ["sha-256", false],
    ["", false],
  ] as const)("%j wants a digest of the whole: %j", ([header, wants]) => {
    expect(wantsWholeDigest(request({ "want-repr-digest": header }))).toBe(wants);
  });
});
