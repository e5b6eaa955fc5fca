import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

const campaign = mergeConfig(base, defineConfig({ test: { testTimeout: 45 * 60_000, maxWorkers: 1 } }));
if (campaign.test) campaign.test.include = ["test/**/*.campaign.ts"];
export default campaign;
