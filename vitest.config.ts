import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Hundreds of processes and workers load the same sources: they are stripped and compiled once.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL("node_modules/.cache/hawser-compiled", import.meta.url),
);

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "test/swift/**"],
    // Real servers and real processes: on a small machine files in parallel only starve each other.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Less than a test's own, which would hide what was seen at last.
    expect: { poll: { timeout: 20_000 } },
    execArgv: ["--conditions=source"],
    reporters: ["default"],
  },
});
