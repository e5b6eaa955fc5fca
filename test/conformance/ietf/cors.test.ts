import { describe, expect, it } from "vitest";

import { expectTaken } from "./expect-answer.ts";
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
  it.for(["POST", "PATCH"])(
    "may ask for leave to %s a file with its name",
    async (method, context) => {
      target().hawser(context);
      const answer = await target()
        .at(newest)
        .request({
          method: "OPTIONS",
          url: target().api.url.href,
          headers: {
            Origin: "https://page.example",
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": requestHeaders.join(","),
          },
        });
      expectTaken(answer, 204);
      const allowed = answer.header("access-control-allow-headers")?.toLowerCase().split(", ");
      expect(allowed).toEqual(expect.arrayContaining(requestHeaders));
    },
  );
});
