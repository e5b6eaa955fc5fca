import { describe, expect, it } from "vitest";

import { type TusAnswer, version } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const origin = { Origin: "https://app.example.com" };

const requestHeaders = [
  "authorization",
  "content-type",
  "tus-resumable",
  "upload-checksum",
  "upload-concat",
  "upload-defer-length",
  "upload-length",
  "upload-metadata",
  "upload-offset",
  "x-http-method-override",
  "x-requested-with",
];

const answerHeaders = [
  "location",
  "tus-checksum-algorithm",
  "tus-extension",
  "tus-max-size",
  "tus-resumable",
  "tus-version",
  "upload-concat",
  "upload-defer-length",
  "upload-expires",
  "upload-length",
  "upload-metadata",
  "upload-offset",
];

function listOf(answer: TusAnswer, name: string): string[] {
  return answer.list(name).map((item) => item.toLowerCase());
}

/** Every answer but HEAD's may be read by a page of another origin. */
function expectReadable(answer: TusAnswer): void {
  expect(answer.header("access-control-allow-origin"), answer.seen).toBe("*");
  const exposed = listOf(answer, "access-control-expose-headers");
  expect(exposed).toEqual(expect.arrayContaining(answerHeaders));
}

describe("a page of another origin", () => {
  it.for(["POST", "HEAD", "PATCH", "DELETE"])(
    "may ask for leave to %s",
    async (method, context) => {
      target().hawser(context);
      const { api } = target();
      const url = method === "POST" ? api.url : await api.create({ "Upload-Length": "10" });
      const answer = await api.withToken(undefined).options(url, {
        ...origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": requestHeaders.join(","),
      });
      expect(answer.status, answer.seen).toBe(204);
      expect(answer.header("access-control-allow-origin")).toBe("*");
      expect(listOf(answer, "access-control-allow-methods")).toContain(method.toLowerCase());
      const allowed = listOf(answer, "access-control-allow-headers");
      expect(allowed).toEqual(expect.arrayContaining(requestHeaders));
    },
  );

  it("may read the answer to every request, refusals included", async () => {
    const { api } = target();
    const headers = { ...origin, "Tus-Resumable": version };
    const created = await api.post({ ...origin, "Upload-Length": "10" });
    expectReadable(created);
    const url = api.locationOf(created);
    expectReadable(await api.request({ method: "HEAD", url, headers }));
    const patch = { url, offset: 7, bytes: Buffer.from("x"), headers };
    expectReadable(await api.patch(patch));
    expectReadable(await api.options(api.url, origin));
    expectReadable(
      await api.bare({
        method: "POST",
        url: api.url,
        headers: { ...origin, "Tus-Resumable": "0.2.2" },
      }),
    );
    expectReadable(await api.request({ method: "DELETE", url, headers }));
  });
});
