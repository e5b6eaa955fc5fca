import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { ServerProcess } from "../../support/server-process.ts";
import { mountOrSkip } from "../../support/small-volume.ts";
import { expectUploadError, full } from "./expect-error.ts";
import { GraphApi } from "./graph-api.ts";

const MiB = 1024 * 1024;

it("a full disk is 507 with Retry-After, and loses nothing of what was stored", async (context) => {
  if ((process.env.HAWSER_TEST_URL ?? "") !== "") {
    context.skip("needs a server that the suite started itself");
  }
  const dataDirectory = await mountOrSkip(24 * MiB, context);
  const server = await ServerProcess.start({ dataDirectory });
  context.onTestFinished(() => server.remove());
  const { address: url, appId, token } = server;
  const api = new GraphApi({ url, appId, token });

  const small = await api.upload(patternBytes({ seed: 131, length: 100 }));
  const length = 12 * MiB;
  const bytes = patternBytes({ seed: 132, length });
  const id = await api.start({ file_length: length });
  const ballast = join(dataDirectory, "ballast");
  await writeFile(ballast, Buffer.alloc(8 * MiB, 1));
  // Beyond the disk in one request, and again with nothing but the rest.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const from = await api.offset(id);
    const refused = await api.append({ id, offset: from, bytes: bytes.subarray(from) });
    const offset = await api.offset(id);
    expectUploadError(refused, { ...full, message: new RegExp(` ${offset} bytes are stored`) });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(offset).toBeGreaterThanOrEqual(from);
  }
  expect((await api.content(await api.publish(small))).length).toBe(100);

  await rm(ballast);
  // The room that is left is looked at once a second at most: the last look may have seen none.
  const done = await eventually(
    async () => {
      const offset = await api.offset(id);
      expect(offset).toBeGreaterThan(0);
      const answer = await api.append({ id, offset, bytes: bytes.subarray(offset) });
      return answer.status === 507 ? undefined : answer;
    },
    { what: "the room to be seen" },
  );
  const content = await api.content(await api.publish(done.text("h")));
  expect(content.equals(bytes)).toBe(true);
});
