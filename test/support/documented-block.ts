import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryDirectory } from "./server-process.ts";

/** The one block of docs/operating.md in this language; of one of its sections, if that is named. */
export async function documentedBlock(language: string, section?: string): Promise<string> {
  const file = join(repositoryDirectory, "docs/operating.md");
  const page = await readFile(file, "utf8");
  const text = section === undefined ? page : sectionOf(page, section);
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))];
  const [block] = blocks.map((match) => match[1]);
  if (block === undefined || blocks.length > 1) {
    const place = section === undefined ? file : `"${section}" of ${file}`;
    throw new Error(`${place} has ${blocks.length} blocks for ${language}`);
  }
  return block;
}

/** What stands below a heading of the second level, up to the next one. */
function sectionOf(page: string, heading: string): string {
  const [, ...after] = page.split(`\n## ${heading}\n`);
  return (after[0] ?? "").split("\n## ", 1)[0] ?? "";
}
