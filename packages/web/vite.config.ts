import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

/** What the first load may weigh in all, gzipped. */
const firstLoadBytesMax = 60_000;

export default defineConfig({
  base: "/",
  resolve: { conditions: ["source", "browser", "module"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../server/web",
    emptyOutDir: true,
    target: "es2022",
    // The server's policy allows no inline script.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  plugins: [weighFirstLoad()],
});

/** Prints what a first visit loads, and fails when that is too much. Lazy parts are told apart. */
function weighFirstLoad(): Plugin {
  return {
    name: "weigh-first-load",
    generateBundle(_, bundle) {
      let first = 0;
      let later = 0;
      for (const output of Object.values(bundle)) {
        const content = output.type === "chunk" ? output.code : output.source;
        const bytes = gzipSync(content).length;
        const isLate = output.type === "chunk" && output.isDynamicEntry;
        if (isLate) later += bytes;
        else first += bytes;
      }
      process.stdout.write(
        `the page's first load: ${first} bytes gzipped (${firstLoadBytesMax} at most), ` +
          `${later} more once the live view is opened\n`,
      );
      if (first > firstLoadBytesMax) {
        this.error(`the first load weighs ${first} bytes, over ${firstLoadBytesMax}`);
      }
    },
  };
}
