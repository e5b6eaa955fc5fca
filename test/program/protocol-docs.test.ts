import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";

import { lookUpReferences } from "../support/unproven.ts";

const root = new URL("../../", import.meta.url);
const directory = new URL("docs/protocols/", root);
const documents = (await readdir(directory)).filter((name) => name.endsWith(".md"));

it.for(documents)("docs/protocols/%s names only tests that exist", async (document) => {
  const text = await readFile(new URL(document, directory), "utf8");
  const { tests, unproven } = await lookUpReferences(text, root);
  expect(unproven).toEqual([]);
  const isProtocol = ["graph.md", "ietf.md", "tus.md"].includes(document);
  if (isProtocol) expect(tests).toBeGreaterThan(0);
});

it("a row that names no test is noticed, whatever is wrong with it", async () => {
  const routes = "`test/conformance/graph/routes.test.ts`";
  const planted = [
    `| right | … | ${routes} > the routes > allow a trailing slash when starting |`,
    `| its title alone | … | ${routes} > allow a trailing slash when starting |`,
    `| a case | … | ${routes} > the routes > accept any version of the right form: v1.0 |`,
    `| another title | … | ${routes} > the routes > allow a trailing slash |`,
    `| another group | … | ${routes} > a route > allow a trailing slash when starting |`,
    "| another file | … | `test/conformance/graph/ways.test.ts` > the routes > are |",
    `| the second of two | … | ${routes} > allow a trailing slash when starting<br>${routes} > no |`,
  ];
  const document = await readFile(new URL("graph.md", directory), "utf8");
  const first = document.split("\n").length;
  const copy = `${document}${planted.join("\n")}\n`;
  const { unproven } = await lookUpReferences(copy, root);
  const lines = unproven.map((each) => Number(/^\d+/.exec(each)?.[0]) - first);
  expect(lines, unproven.join("\n")).toEqual([3, 4, 5, 6]);
});
