import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, expectGraphHeaders, invalidHandle, noToken } from "./expect-error.ts";
import type { GraphAnswer } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const video = { file_name: "clip.mp4", file_type: "video/mp4" };
const picture = { file_name: "photo.png", file_type: "image/png" };
const ten = patternBytes({ seed: 61, length: 10 });

function withHeaderHandle(handle: string): unknown {
  return {
    name: "order_update",
    language: "en_US",
    category: "MARKETING",
    components: [
      { type: "HEADER", format: "IMAGE", example: { header_handle: [handle] } },
      { type: "BODY", text: "Your order is on its way." },
    ],
  };
}

/** Each endpoint of the table that takes a handle, with the request that carries one. */
const endpoints: readonly (readonly [
  name: string,
  send: (handle: string) => Promise<GraphAnswer>,
])[] = [
  [
    "a page's videos",
    (handle) =>
      target().api.postForm("/v21.0/1122334455/videos", {
        fbuploader_video_file_chunk: handle,
        title: "a title",
        description: "a description",
      }),
  ],
  [
    "an ad account's advideos",
    (handle) =>
      target().api.postForm("/v21.0/act_1122334455/advideos", {
        fbuploader_video_file_chunk: handle,
      }),
  ],
  [
    "a WhatsApp profile photo",
    (handle) =>
      target().api.postJson("/v21.0/2233445566/whatsapp_business_profile", {
        messaging_product: "whatsapp",
        profile_picture_handle: handle,
      }),
  ],
  [
    "a WhatsApp template header",
    (handle) =>
      target().api.postJson("/v21.0/3344556677/message_templates", withHeaderHandle(handle)),
  ],
];

describe("endpoints that take a handle", () => {
  it.for(["1122334455/videos", "act_1122334455/advideos"])(
    "POST /{version}/%s answers the id of the video",
    async (path) => {
      const { api } = target();
      const handle = await api.upload(ten, video);
      const fields = { title: "a title", description: "a description" };
      const answer = await api.postForm(`/v21.0/${path}`, {
        fbuploader_video_file_chunk: handle,
        ...fields,
      });
      expect(answer.status, answer.body.toString()).toBe(200);
      expect(Object.keys(answer.json)).toEqual(["id"]);
      expect(answer.text("id")).toMatch(/^\d+$/);
      expectGraphHeaders(answer);
    },
  );

  it("videos take the handle as a multipart field, too, as the guides' own curl lines do", async () => {
    const { api } = target();
    const handle = await api.upload(ten, video);
    const field = 'Content-Disposition: form-data; name="fbuploader_video_file_chunk"';
    const answer = await api.authorized({
      method: "POST",
      path: "/v21.0/1122334455/videos",
      headers: { "Content-Type": "multipart/form-data; boundary=b" },
      body: `--b\r\n${field}\r\n\r\n${handle}\r\n--b--\r\n`,
    });
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(answer.text("id")).toMatch(/^\d+$/);
  });

  it("whatsapp_business_profile answers success", async () => {
    const { api } = target();
    const answer = await api.postJson("/v21.0/2233445566/whatsapp_business_profile", {
      messaging_product: "whatsapp",
      profile_picture_handle: await api.upload(ten, picture),
    });
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(answer.json).toEqual({ success: true });
  });

  it("message_templates answers id, status PENDING and the category", async () => {
    const { api } = target();
    const body = withHeaderHandle(await api.upload(ten, picture));
    const answer = await api.postJson("/v21.0/3344556677/message_templates", body);
    expect(answer.status, answer.body.toString()).toBe(200);
    const { id, ...rest } = answer.json;
    expect(id).toMatch(/^\d+$/);
    expect(rest).toEqual({ status: "PENDING", category: "MARKETING" });
  });

  it.for(endpoints)("%s refuses a handle that is wrong", async ([, send]) => {
    const good = await target().api.upload(ten, picture);
    for (const handle of ["1234567890123456", `${good.slice(0, -5)}xxxxx`, "2:c2FtcGxl..."]) {
      const answer = await send(handle);
      expectGraphError(answer, invalidHandle);
      const { error_user_title } = answer.record("error");
      expect(error_user_title).toBe("Uploaded media handle is invalid");
    }
  });

  it.for(endpoints)("%s refuses another app's handle", async ([, send], context) => {
    const other = await target().secondApp(context);
    expectGraphError(await send(await other.upload(ten, picture)), invalidHandle);
  });

  it("take the token from the query or the body, and refuse a request without one", async () => {
    const { api } = target();
    const fbuploader_video_file_chunk = await api.upload(ten, video);
    const path = "/v21.0/1122334455/videos";
    const headers = { "Content-Type": "application/json" };
    const send = async (fields: object, query = ""): Promise<GraphAnswer> =>
      api.request({
        method: "POST",
        path: `${path}${query}`,
        headers,
        body: JSON.stringify({ fbuploader_video_file_chunk, ...fields }),
      });
    expect((await send({ access_token: api.token })).status).toBe(200);
    expect((await send({}, `?access_token=${api.token}`)).status).toBe(200);
    expectGraphError(await send({}), noToken);
  });
});
