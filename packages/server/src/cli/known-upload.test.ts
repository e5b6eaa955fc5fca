import { fileIdentity, MemoryResumeStore, resumeKey } from "hawser-client";
import { expect, test } from "vitest";
import { findUpload } from "./known-upload.ts";

const target = { url: "http://one", appId: "1", token: "t" };
const entry = {
  ...{ url: target.url, appId: target.appId, identity: fileIdentity("a.pdf") },
  ...{ fingerprint: "f", name: "a.pdf", type: "application/pdf", length: 5, updatedAt: 1 },
  ...{ id: "upload:x", state: "open" as const },
};

async function storeWith(appId: string): Promise<MemoryResumeStore> {
  const store = new MemoryResumeStore();
  await store.put(resumeKey(entry.url, appId, entry.identity), { ...entry, appId });
  return store;
}

test("an upload is found by the file it was made from, however the path is written", async () => {
  const store = await storeWith("1");
  expect(await findUpload("a.pdf", target, store)).toMatchObject({ id: "upload:x" });
  expect(await findUpload("./b/../a.pdf", target, store)).toMatchObject({ id: "upload:x" });
});

test("an id is taken as it is", async () => {
  const found = await findUpload("upload:y==?sig=z", target, new MemoryResumeStore());
  expect(found).toMatchObject({ id: "upload:y==?sig=z", remembered: undefined });
});

test("a file that was put elsewhere is told with where", async () => {
  const store = await storeWith("2");
  await expect(findUpload("a.pdf", target, store)).rejects.toMatchObject({
    exitCode: 4,
    hint: "Add --to http://one --app 2.",
  });
});

test("a file that is not remembered is told with what to do", async () => {
  await expect(findUpload("z.pdf", target, new MemoryResumeStore())).rejects.toMatchObject({
    exitCode: 4,
    hint: expect.stringContaining("hawser put") as string,
  });
});
