import { describe, expect, it } from "vitest";

import { parseChecksum } from "./checksum.ts";

describe("Upload-Checksum", () => {
  it("is read in every algorithm that is served", () => {
    const checksum = (text: string) => {
      const { algorithm, value } = parseChecksum(text);
      return `${algorithm} ${value.toString("hex")}`;
    };
    expect(checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")).toBe(
      "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
    );
    expect(checksum("md5 XrY7u+Ae7tCTyyK7j1rNww==")).toBe("md5 5eb63bbbe01eeed093cb22bb8f5acdc3");
    expect(checksum("crc32 DUoRhQ==")).toBe("crc32 0d4a1185");
    expect(checksum("sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=")).toBe(
      "sha256 b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
    );
  });

  it.for([
    "",
    "sha1",
    "sha1 ",
    "Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    "sha512 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
    "sha1 Kq5sNclPz7QV2-lfQIuc6R7oRu0=",
    "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0= more",
    "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    "sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
    "md5 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    "crc32 MjIyOTU3OTU3",
  ])("%j is refused", (header) => {
    expect(() => parseChecksum(header)).toThrow(/parameter_invalid.*Upload-Checksum/);
  });
});
