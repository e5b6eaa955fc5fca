import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";

/** What stands between `<!-- begin NAME -->` and `<!-- end NAME -->` of a page is a command's. */
export interface MarkedSection {
  readonly name: string;
  readonly content: string;
}

export function replaceMarked(page: string, { name, content }: MarkedSection): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} ... ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}

/** Rewrites these sections of a Markdown file, formatted as the repository's check wants it. */
export async function rewritePage(file: string, sections: readonly MarkedSection[]): Promise<void> {
  const page = sections.reduce(replaceMarked, await readFile(file, "utf8"));
  const style = await resolveConfig(file);
  await writeFile(file, await format(page, { ...style, parser: "markdown" }));
}

/** A table of Markdown; whatever the cells hold, they stay one cell each. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(asCell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function asCell(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\|*_`<>[\]]/g, "\\$&");
}
