import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { makeRealFile, realFileKinds } from "./real-files.ts";

describe("a real file", () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "hawser-files-"));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it.for(realFileKinds)(
    "of kind %s is made, or what is missing is named",
    async (kind, context) => {
      const file = await makeRealFile(kind, directory);
      if (file.state === "missing") context.skip(file.reason);
      else expect(file.bytes.length).toBeGreaterThan(1000);
    },
  );
});
