import { defineConfig } from "vitest/config";
import campaigns from "./vitest.campaign.config.ts";

// Quick tests of test/fault keep results too: requests in hiding, tokens, marked secrets.
export default defineConfig({
  ...campaigns,
  test: {
    ...campaigns.test,
    include: [
      "test/fault/**/*.{campaign,test}.ts",
      "test/cluster/nodes.campaign.ts",
      "test/interop/switching-nodes.campaign.ts",
    ],
  },
});
