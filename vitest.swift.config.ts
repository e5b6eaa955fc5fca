import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

// Few have Swift installed: a command of its own, which nothing else asks for.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/swift/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
