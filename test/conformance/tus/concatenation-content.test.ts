import { describe, expect, it, type TestContext } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, invalidHandle } from "../graph/expect-error.ts";
import { metadataOf } from "./tus-api.ts";
import { type AppApis, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const film = Buffer.concat([
  Buffer.from("000000186674797069736f6d0000020069736f6d6d703432", "hex"),
  patternBytes({ seed: 331, length: 20_000 }),
  // As a file of its own, what begins here is a picture.
  Buffer.from("BM"),
  patternBytes({ seed: 332, length: 20_000 }),
]);
const middle = 20_024;
const video = { "Upload-Metadata": metadataOf({ filetype: "video/mp4" }) };
const partial = { ...video, "Upload-Concat": "partial" };

function finalOf(urls: readonly URL[]): Record<string, string> {
  return { ...video, "Upload-Concat": `final;${urls.map(({ href }) => href).join(" ")}` };
}

describe("parts of a file for an app that rejects content of another type than declared", () => {
  async function sent(context: TestContext): Promise<AppApis & { readonly parts: [URL, URL] }> {
    const apis = await target().secondApp(context, { contentPolicy: "reject" });
    const first = await apis.api.upload(film.subarray(0, middle), partial);
    return { ...apis, parts: [first, await apis.api.upload(film.subarray(middle), partial)] };
  }

  it("begin as they may: the final upload is judged", async (context) => {
    const { api, graph, parts } = await sent(context);
    const answer = await api.post(finalOf(parts));
    expect(answer.status, answer.seen).toBe(201);
    const content = await target().content(api.locationOf(answer), { api, graph });
    expect(content.equals(film)).toBe(true);
  });

  it("make no final upload that begins as another type", async (context) => {
    const { api, parts } = await sent(context);
    const [first, second] = parts;
    const answer = await api.post(finalOf([second, first]));
    expect(answer.status, answer.seen).toBe(422);
    expect(answer.body.toString()).toMatch(/not video\/mp4/);
  });

  it("are judged when they are published by themselves", async (context) => {
    const { api, graph, parts } = await sent(context);
    const [first, second] = parts;
    const whole = await target().content(first, { api, graph });
    expect(whole.equals(film.subarray(0, middle))).toBe(true);
    const handle = (await graph.get(await target().graphPathOf(second, api))).text("h");
    const refused = [
      await graph.postForm(`/v21.0/${graph.appId}/files`, { handle }),
      await graph.postForm("/v21.0/1/videos", { fbuploader_video_file_chunk: handle }),
    ];
    for (const answer of refused) {
      expectGraphError(answer, { ...invalidHandle, message: /not video\/mp4/ });
    }
    const joined = await api.post(finalOf(parts));
    expect(joined.status, joined.seen).toBe(201);
  });
});
