import { beforeEach, describe, expect, test } from "vitest";
import { makeApp } from "../../../../test/contract/catalog-samples.ts";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { givenBody } from "../../../../test/support/given-body.ts";
import type { ContentPolicy } from "../catalog/records.ts";
import { handleOf, uploadOfHandle } from "./handle.ts";

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const appId = "1001";

let uploads: EngineUploads;

beforeEach(() => {
  uploads = new EngineUploads();
});

describe("the handle of an upload that was not to be judged", () => {
  async function handleIn(contentPolicy: ContentPolicy, type: string): Promise<string> {
    await uploads.catalog.insertApp(makeApp({ id: appId, contentPolicy }));
    const upload = await uploads.create({ type, length: png.length });
    return handleOf(uploads.engine, await uploads.send(upload, 0, { body: givenBody([png]) }));
  }

  test.for([
    ["off", "image/jpeg"],
    ["warn", "image/jpeg"],
    ["reject", "image/png"],
  ] as const)(
    "stands for it where its app's policy is %s and it is of %s",
    async ([policy, type]) => {
      const handle = await handleIn(policy, type);
      const upload = await uploadOfHandle(uploads.engine, handle, appId);
      expect(upload.state).toBe("complete");
    },
  );

  test("stands for nothing where its app rejects what it is", async () => {
    const handle = await handleIn("reject", "image/jpeg");
    const used = uploadOfHandle(uploads.engine, handle, appId);
    await expect(used).rejects.toMatchObject({ code: "handle_invalid" });
  });
});
