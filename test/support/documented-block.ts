import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryDirectory } from "./server-process.ts";

/** The one block of docs/operating.md in this language. */
export async function documentedBlock(language: string): Promise<string> {
  const file = join(repositoryDirectory, "docs/operating.md");
  const page = await readFile(file, "utf8");
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))];
  const [block] = blocks.map((match) => match[1]);
  if (block === undefined || blocks.length > 1) {
    throw new Error(`${file} has ${blocks.length} blocks for ${language}`);
  }
  return block;
}
