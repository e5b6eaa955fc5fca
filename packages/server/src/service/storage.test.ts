import { expect, test } from "vitest";
import { fileShares } from "./storage.ts";

test.each([64, 1024, 4096, 1_048_576])(
  "of %i descriptors some are left for a file that waits while all others are clean",
  (descriptors) => {
    const { openFilesMax, cleanFilesMax } = fileShares(descriptors);
    expect(openFilesMax).toBeLessThan(descriptors);
    expect(cleanFilesMax).toBeLessThan(openFilesMax);
  },
);
