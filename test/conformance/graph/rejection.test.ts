import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectUploadError, rejectedContent } from "./expect-error.ts";
import { type GraphApi, uploadPath } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const pdf = Buffer.concat([
  Buffer.from("%PDF-1.7\n"),
  patternBytes({ seed: 141, length: 50_000 }),
  Buffer.from("\n%%EOF\n"),
]);
const asPicture = { file_name: "a.png", file_type: "image/png", file_length: pdf.length } as const;
const message = /rejected.*image\/png/;

/** However it is asked for afterwards, the answer names the same reason. */
async function expectRejected(api: GraphApi, id: string, reason: unknown): Promise<void> {
  const answers = [
    await api.status(id),
    await api.status(id, "status,h"),
    await api.append({ id, offset: 0, bytes: pdf }),
    await api.append({ id, offset: pdf.length, bytes: Buffer.alloc(0) }),
    await api.delete(uploadPath(id)),
  ];
  for (const answer of answers) {
    expectUploadError(answer, { ...rejectedContent, message });
    expect(answer.record("error").message).toBe(reason);
  }
}

describe("an app that rejects content of another type than declared", () => {
  it("answers 400 to the request that brought it whole, and to every later one", async (context) => {
    const api = await target().secondApp(context, { contentPolicy: "reject" });
    const id = await api.start(asPicture);
    const refused = await api.append({ id, offset: 0, bytes: pdf });
    expectUploadError(refused, { ...rejectedContent, message });
    await expectRejected(api, id, refused.record("error").message);
  });

  it("looks at the beginning of a file that comes in pieces, and keeps the reason", async (context) => {
    const api = await target().secondApp(context, { contentPolicy: "reject" });
    const server = target().ownServer(context);
    const id = await api.start(asPicture);
    // Too few to judge by; the rest is judged with them when the file is whole.
    const first = await api.append({ id, offset: 0, bytes: pdf.subarray(0, 3_000) });
    expect(first.number("file_offset")).toBe(3_000);
    const refused = await api.append({ id, offset: 3_000, bytes: pdf.subarray(3_000) });
    expectUploadError(refused, { ...rejectedContent, message });
    await server.restart({ samePort: true });
    await expectRejected(api, id, refused.record("error").message);
  });

  it("judges by the first 4 KiB, before the rest is sent", async (context) => {
    const api = await target().secondApp(context, { contentPolicy: "reject" });
    const id = await api.start(asPicture);
    const refused = await api.append({ id, offset: 0, bytes: pdf.subarray(0, 5_000) });
    expectUploadError(refused, { ...rejectedContent, message });
    await expectRejected(api, id, refused.record("error").message);
  });

  it("takes content that is what it says, and what says nothing about itself", async (context) => {
    const api = await target().secondApp(context, { contentPolicy: "reject" });
    for (const bytes of [pdf, patternBytes({ seed: 142, length: 50_000 })]) {
      const content = await api.content(await api.publish(await api.upload(bytes)));
      expect(content.equals(bytes)).toBe(true);
    }
  });
});

it("an app that was not told to reject takes the same content", async () => {
  const { api } = target();
  const handle = await api.upload(pdf, asPicture);
  expect((await api.content(await api.publish(handle))).equals(pdf)).toBe(true);
});
