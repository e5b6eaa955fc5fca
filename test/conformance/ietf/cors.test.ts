import { describe, expect, it } from "vitest";

import { useIetfTarget } from "./ietf-target.ts";
import { newest } from "./versions.ts";

const target = useIetfTarget();

/** What a page sends to make an upload of a file and to append to it. */
const requestHeaders = [
  "authorization",
  "content-disposition",
  "content-type",
  "upload-complete",
  "upload-draft-interop-version",
  "upload-length",
  "upload-offset",
];

describe("a page of another origin", () => {
  it.each(["POST", "PATCH"])("may ask for leave to %s a file with its name", async (method) => {
    const answer = await target()
      .at(newest)
      .request({
        method: "OPTIONS",
        url: "/uploads",
        headers: {
          Origin: "https://page.example",
          "Access-Control-Request-Method": method,
          "Access-Control-Request-Headers": requestHeaders.join(","),
        },
      });
    expect(answer.status, answer.shown).toBe(204);
    const allowed = answer.header("access-control-allow-headers")?.toLowerCase().split(", ");
    expect(allowed).toEqual(expect.arrayContaining(requestHeaders));
  });
});
