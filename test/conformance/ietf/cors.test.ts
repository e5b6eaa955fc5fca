import { describe, expect, it } from "vitest";

import { expectTaken } from "./expect-answer.ts";
import type { IetfAnswer } from "./ietf-api.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { newest } from "./versions.ts";

const target = useIetfTarget();

const origin = { Origin: "https://page.example" };

/** What a page sends to make an upload of a file and to append to it. */
const requestHeaders = [
  "authorization",
  "content-digest",
  "content-disposition",
  "content-type",
  "repr-digest",
  "upload-complete",
  "upload-draft-interop-version",
  "upload-incomplete",
  "upload-length",
  "upload-offset",
  "want-repr-digest",
];

const answerHeaders = [
  "accept-patch",
  "link",
  "location",
  "repr-digest",
  "retry-after",
  "upload-complete",
  "upload-draft-interop-version",
  "upload-incomplete",
  "upload-length",
  "upload-limit",
  "upload-offset",
];

function listOf(answer: IetfAnswer, name: string): readonly string[] {
  return answer.header(name)?.toLowerCase().split(/ *, */) ?? [];
}

/** Whether a page of another origin may read an answer, and all of the draft's fields in it. */
function expectReadable(answer: IetfAnswer, status: number): void {
  expect(answer.status, answer.shown).toBe(status);
  expect(answer.header("access-control-allow-origin"), answer.shown).toBe("*");
  const exposed = listOf(answer, "access-control-expose-headers");
  expect(exposed).toEqual(expect.arrayContaining(answerHeaders));
}

describe("a page of another origin", () => {
  it.for(["POST", "HEAD", "GET", "PATCH", "DELETE"])(
    "may ask for leave to %s",
    async (method, context) => {
      target().hawser(context);
      const api = target().at(newest);
      const answer = await api.request({
        method: "OPTIONS",
        url: method === "POST" ? api.url.href : await api.begun(),
        headers: {
          ...origin,
          "Access-Control-Request-Method": method,
          "Access-Control-Request-Headers": requestHeaders.join(","),
        },
      });
      expectTaken(answer, 204);
      expect(answer.header("access-control-allow-origin")).toBe("*");
      expect(listOf(answer, "access-control-allow-methods")).toContain(method.toLowerCase());
      const allowed = listOf(answer, "access-control-allow-headers");
      expect(allowed).toEqual(expect.arrayContaining(requestHeaders));
    },
  );

  it("may read the answer to every request, refusals included", async (context) => {
    target().hawser(context);
    const { api } = target();
    const bytes = Buffer.from("hello");
    const created = await api.create({ headers: origin });
    expectReadable(created, 201);
    const { location: url } = created;
    expectReadable(await api.append(url, 0, { bytes, headers: origin }), 204);
    expectReadable(await api.head(url, origin), 204);
    expectReadable(await api.get(url, origin), 200);
    expectReadable(await api.append(url, 1, { bytes, headers: origin }), 409);
    expectReadable(await api.request({ method: "OPTIONS", url, headers: origin }), 204);
    expectReadable(await api.request({ method: "HEAD", url, headers: origin }), 401);
    expectReadable(await api.delete(url, origin), 204);
    expectReadable(await api.head(url, origin), 410);
  });
});
