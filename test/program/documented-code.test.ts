import { expect, test } from "vitest";

import {
  exampleCode,
  fencedCode,
  typeFaults,
  undocumentedExports,
} from "../support/documented-code.ts";

const pages = ["README.md", "packages/client/README.md"];
/** Entries of the package, as `package.json` names them. */
const doors = [
  "index.ts",
  "index.browser.ts",
  "dialects/tus.ts",
  "dialects/ietf.ts",
  "resume-store/indexed-db.ts",
];
/** Where examples are, by the door that each of them has `upload` from. */
const sources = {
  "hawser-client": [
    ...["index.ts", "queue.ts", "resume-store/file.ts", "sources/spool.ts"],
    ...["dialects/tus.ts", "dialects/ietf.ts"],
  ],
  "hawser-client/browser": ["index.browser.ts", "queue.browser.ts", "resume-store/indexed-db.ts"],
};

/** What a reader is to have: an input of files, credentials, something that draws. */
const setting = `
  declare const input: { readonly files: readonly [File, ...File[]] };
  declare const url: string;
  declare const appId: string;
  declare const token: string;
  declare function draw(shown: object): void;
  declare const upload: typeof import("hawser-client").upload;
  declare const UploadQueue: typeof import("hawser-client").UploadQueue;
`;

test.each(doors)(
  "everything that %s exports has a comment",
  (door) => {
    expect(undocumentedExports(`packages/client/src/${door}`)).toEqual([]);
  },
  120_000,
);

test("the code that the pages show compiles", async () => {
  const pieces = (await Promise.all(pages.map(fencedCode))).flat();
  expect(pieces.length).toBeGreaterThan(3);
  expect(typeFaults(pieces, setting)).toEqual([]);
}, 120_000);

test("the examples in the comments of the public doors compile", async () => {
  const pieces = await Promise.all(
    Object.entries(sources).map(async ([door, files]) => {
      const paths = files.map((file) => `packages/client/src/${file}`);
      const found = (await Promise.all(paths.map(exampleCode))).flat();
      const imports = `import { connectGraph, upload, UploadQueue } from "${door}";\n`;
      return found.map(({ place, code }) => ({ place, code: imports + code }));
    }),
  );
  expect(pieces.flat()).toHaveLength(11);
  expect(typeFaults(pieces.flat(), setting)).toEqual([]);
}, 120_000);

test("an option that is no longer there would be seen", () => {
  const code = `await upload("film.mp4", { appId, token, chunkBytes: 5 });`;
  const [fault] = typeFaults([{ place: "page:1", code }], setting);
  expect(fault).toContain("page:1");
  expect(fault).toContain("chunkBytes");
}, 120_000);
