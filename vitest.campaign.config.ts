import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

// The base's include is replaced, not merged: a campaign run is the campaigns alone.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/**/*.campaign.ts"],
    testTimeout: 45 * 60_000,
    hookTimeout: 120_000,
    // Most of their time they wait: for a silent body, a dead node, a sync.
    maxWorkers: 2,
  },
});
