import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { metadataOf, type TusHeaders } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

async function expectRefused(headers: TusHeaders, status = 400): Promise<void> {
  const answer = await target().api.post(headers);
  expect(answer.status, answer.seen).toBe(status);
  expect(answer.header("location"), answer.seen).toBeUndefined();
}

describe("POST", () => {
  it("is answered with 201 and the URL of an upload that has no bytes", async () => {
    const { api } = target();
    const answer = await api.post({ "Upload-Length": "1000" });
    expect(answer.status, answer.seen).toBe(201);
    expect(await api.offsetOf(api.locationOf(answer))).toBe(0);
  });

  it("makes another upload each time", async () => {
    const { api } = target();
    const [first, second] = [
      await api.create({ "Upload-Length": "5" }),
      await api.create({ "Upload-Length": "5" }),
    ];
    expect(first.href).not.toBe(second.href);
    await api.patch({ url: first, offset: 0, bytes: Buffer.from("hello") });
    expect(await api.offsetOf(second)).toBe(0);
  });

  it("without Upload-Length and Upload-Defer-Length is refused with 400", async () => {
    await expectRefused({});
  });

  it("with both Upload-Length and Upload-Defer-Length is refused with 400", async () => {
    await expectRefused({ "Upload-Length": "10", "Upload-Defer-Length": "1" });
  });

  it.for(["0", "2", "-1", "true", "yes", "1.0", "01", "1, 1"])(
    "with Upload-Defer-Length %j is refused with 400",
    async (value) => {
      await expectRefused({ "Upload-Defer-Length": value });
    },
  );

  it.for(["-1", "+10", "10.0", "1e3", "0x10", "10,10", "ten", "NaN", "10 10", "9".repeat(30)])(
    "with Upload-Length %j is refused",
    async (value) => {
      const answer = await target().api.post({ "Upload-Length": value });
      // A number beyond all bounds may as well be one beyond the maximum.
      expect(value.length > 20 ? [400, 413] : [400], answer.seen).toContain(answer.status);
      expect(answer.header("location")).toBeUndefined();
    },
  );

  it("over the maximum is refused with 413", async (context) => {
    const { api } = target();
    const most = (await api.options()).header("tus-max-size");
    if (most === undefined) return context.skip("the server tells no maximum");
    await expectRefused({ "Upload-Length": `${Number(most) + 1}` }, 413);
    // There may be no room for so much, but it is not over the maximum.
    expect((await api.post({ "Upload-Length": most })).status).not.toBe(413);
  });

  it("with length 0 makes an upload that is complete at once", async () => {
    const { api } = target();
    const answer = await api.head(await api.create({ "Upload-Length": "0" }));
    expect(answer.status, answer.seen).toBe(200);
    expect(answer.header("upload-offset")).toBe("0");
    expect(answer.header("upload-length")).toBe("0");
  });

  it("with length 0 makes a file that can be had", async () => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": "0" });
    expect(await target().content(url)).toHaveLength(0);
  });
});

describe("Upload-Metadata", () => {
  const accepted = [
    "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential",
    "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==",
    "a",
    "a,b,c",
    "a YQ==,b Yg==,a.b-c_d! Yw==",
    metadataOf({ filename: "größe ✓ 日本.pdf", note: "two\r\nlines: not a header" }),
  ];

  it.for(accepted)("%j is told by HEAD as it was given", async (metadata) => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": "10", "Upload-Metadata": metadata });
    expect((await api.head(url)).header("upload-metadata")).toBe(metadata);
    await api.patch({ url, offset: 0, bytes: Buffer.from("0123456789") });
    expect((await api.head(url)).header("upload-metadata")).toBe(metadata);
  });

  const refused = [
    ["with a key twice", "a YQ==,a Yg=="],
    ["with a key twice, once without a value", "a,b Yg==,a Yg=="],
    ["with an empty key", "a YQ==,,b Yg=="],
    ["with an empty key at its end", "a YQ==,"],
    ["with two spaces between key and value", "a  YQ==,b"],
    ["with two values", "a YQ== Yg=="],
    ["with a value that is not Base64", "filename plan.pdf"],
    ["with a value of too few characters", "filename YQ"],
    ["with a value in the URL's Base64", "filename __-_"],
  ] as const;

  it.for(refused)("%s is refused with 400", async ([, metadata]) => {
    await expectRefused({ "Upload-Length": "10", "Upload-Metadata": metadata });
  });
});

describe("what the metadata says of a file", () => {
  const bytes = patternBytes({ seed: 241, length: 100 });

  it.for(["filename", "name"])("under %s is its name", async (key, context) => {
    const graph = target().hawser(context).api;
    const metadata = metadataOf({ [key]: "größe ✓.pdf" });
    const url = await target().api.upload(bytes, { "Upload-Metadata": metadata });
    const answer = await graph.get(await target().graphPathOf(url));
    const file = await graph.get(`/v21.0/${await graph.publish(answer.text("h"))}`);
    expect(file.text("name")).toBe("größe ✓.pdf");
  });

  it("cannot be a path", async (context) => {
    const graph = target().hawser(context).api;
    const metadata = metadataOf({ filename: "../../etc/pass\u0000wd" });
    const url = await target().api.upload(bytes, { "Upload-Metadata": metadata });
    const answer = await graph.get(await target().graphPathOf(url));
    const file = await graph.get(`/v21.0/${await graph.publish(answer.text("h"))}`);
    expect(file.text("name")).toBe(".._.._etc_pass_wd");
  });

  it("cannot be a name of more than 255 bytes", async (context) => {
    target().hawser(context);
    const metadata = metadataOf({ filename: "ä".repeat(128) });
    await expectRefused({ "Upload-Length": "10", "Upload-Metadata": metadata });
  });

  it.for(["filetype", "type"])("under %s is its media type", async (key, context) => {
    const graph = target().hawser(context).api;
    const metadata = metadataOf({ [key]: "video/MP4; codecs=avc1" });
    const url = await target().api.upload(bytes, { "Upload-Metadata": metadata });
    const answer = await graph.get(await target().graphPathOf(url));
    const file = await graph.get(`/v21.0/${await graph.publish(answer.text("h"))}`);
    expect(file.text("mime_type")).toBe("video/mp4");
  });

  it("need not be said: it is unnamed, and of bytes of which nobody knows more", async (context) => {
    const graph = target().hawser(context).api;
    const url = await target().api.upload(bytes);
    const answer = await graph.get(await target().graphPathOf(url));
    const file = await graph.get(`/v21.0/${await graph.publish(answer.text("h"))}`);
    expect(file.json).toMatchObject({ name: "unnamed", mime_type: "application/octet-stream" });
  });

  it("must be a media type that the app takes", async (context) => {
    const { api } = await target().secondApp(context, { types: ["image/png"] });
    const said = (filetype: string) =>
      api.post({ "Upload-Length": "10", "Upload-Metadata": metadataOf({ filetype }) });
    expect((await said("image/png")).status).toBe(201);
    for (const answer of [await said("image/gif"), await api.post({ "Upload-Length": "10" })]) {
      expect(answer.status, answer.seen).toBe(400);
      expect(answer.body.toString()).toMatch(/image\/png/);
    }
  });
});
