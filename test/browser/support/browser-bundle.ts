import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

import { repositoryDirectory } from "../../support/server-process.ts";

/** A program as a browser gets it: one file, minified. */
export interface BrowserBundle {
  readonly code: string;
  /** Bytes of UTF-8. */
  readonly length: number;
  readonly gzipLength: number;
  /** What the code would still have to import from elsewhere, such as `node:fs`. */
  readonly imports: readonly string[];
}

/**
 * Bundles as a browser project would, with the export condition `browser`.
 *
 * @param input a file of this repository, or a package's name
 */
export async function bundleForBrowser(input: string): Promise<BrowserBundle> {
  await using bundle = await rolldown({
    cwd: repositoryDirectory,
    input,
    platform: "browser",
    resolve: { conditionNames: ["source", "browser", "import", "default"] },
    // Left in place, so that it can be named; a browser could not load it.
    external: /^node:/,
  });
  const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false });
  const [chunk] = output;
  const { code, imports, dynamicImports } = chunk;
  return {
    code,
    length: Buffer.byteLength(code),
    gzipLength: gzipSync(code, { level: 9 }).length,
    imports: [...imports, ...dynamicImports],
  };
}
