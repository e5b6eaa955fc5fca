import { describe, expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, expectUploadError, gone, invalidHandle } from "./expect-error.ts";
import { type GraphAnswer, uploadPath } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

// Handles are over after a second, and what is over is looked for every second.
const seconds = ["--handle-lifetime-seconds", "1", "--sweep-interval-seconds", "1"];
const target = useGraphTarget({ extraArguments: seconds });

const length = 40_000;
const bytes = patternBytes({ seed: 151, length });
const what = { what: "its time to be over", intervalMs: 100 };

function publish(handle: string): Promise<GraphAnswer> {
  const { api } = target();
  return api.postForm(`/v21.0/${api.appId}/files`, { handle });
}

async function untilGone(id: string, api = target().api): Promise<GraphAnswer> {
  return eventually(async () => {
    const answer = await api.status(id);
    return answer.status === 200 ? undefined : answer;
  }, what);
}

interface Published {
  readonly id: string;
  readonly handle: string;
  readonly fileId: string;
}

/** A handle lives for a second here, and a busy machine may take longer to publish it. */
async function publishInTime(): Promise<Published> {
  const { api } = target();
  return eventually(
    async () => {
      const id = await api.start({ file_length: length });
      const handle = (await api.append({ id, offset: 0, bytes })).text("h");
      const answer = await publish(handle);
      return answer.status === 200 ? { id, handle, fileId: answer.text("id") } : undefined;
    },
    { what: "a handle that is published in time" },
  );
}

describe("an open upload whose time is over", () => {
  it("is 410 in both envelopes for everything that is asked of it", async (context) => {
    const api = await target().secondApp(context, { lifetimeSeconds: 1 });
    const id = await api.start({ file_length: length });
    await api.append({ id, offset: 0, bytes: bytes.subarray(0, 20_000) });
    const expired = { ...gone, message: /expired/ };
    expectUploadError(await untilGone(id, api), expired);
    const rest = { id, offset: 20_000, bytes: bytes.subarray(20_000) };
    expectUploadError(await api.append(rest), expired);
    expectUploadError(await api.delete(uploadPath(id)), expired);
  });

  it("is not over while somebody is sending it", async (context) => {
    const api = await target().secondApp(context, { lifetimeSeconds: 3 });
    const id = await api.start({ file_length: length });
    using connection = await target().connect(context);
    const headers = [
      ["Authorization", `OAuth ${api.token}`],
      ["file_offset", "0"],
      ["Content-Length", `${length}`],
    ] as const;
    await connection.sendHead({ method: "POST", path: api.pathOf(uploadPath(id)), headers });
    await connection.write(bytes.subarray(0, 20_000));
    // A later one expires meanwhile, and one after that: this one's time is over by then.
    for (let round = 0; round < 2; round += 1) await untilGone(await api.start(), api);
    await connection.write(bytes.subarray(20_000));
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(200);
  });
});

describe("a handle whose time is over", () => {
  it("cannot be published, and its upload is gone", async (context) => {
    target().ownServer(context);
    const { api } = target();
    const id = await api.start({ file_length: length });
    const handle = (await api.append({ id, offset: 0, bytes })).text("h");
    const refused = await eventually(async () => {
      const answer = await publish(handle);
      return answer.status === 200 ? undefined : answer;
    }, what);
    expectGraphError(refused, { ...invalidHandle, message: /expired|gone/ });
    expect(refused.record("error").error_user_title).toBe("Uploaded media handle is invalid");
    expectUploadError(await untilGone(id), { ...gone, message: /expired/ });
  });

  it("leaves the file that was published with it in time", async (context) => {
    target().ownServer(context);
    const { id, handle, fileId } = await publishInTime();
    const refused = await eventually(async () => {
      const answer = await publish(handle);
      return answer.status === 200 ? undefined : answer;
    }, what);
    expectGraphError(refused, invalidHandle);
    // Its upload has been swept.
    expectUploadError(await untilGone(id), { ...gone, message: /expired/ });
    expect((await target().api.content(fileId)).equals(bytes)).toBe(true);
  });
});
