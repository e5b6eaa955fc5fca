import type { Row } from "./figure.ts";
import { boundOf, type Compared, judgedOf, keepsBound, measuredWords, number } from "./table.ts";

const width = 800;
const left = 16;
const rowHeight = 46;
const headHeight = 62;
/** Where a bar ends that reaches its bound exactly. */
const boundAt = 270;
/** Bars of what is better still end here, with an arrow. */
const barMax = 1.9 * (boundAt - left);

const style = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
  .page { fill: #ffffff }
  .dim { fill: #59636e }
  .head { font-weight: 600 }
  .kept { fill: #2da44e }
  .missed { fill: #d4731b }
  .bound { stroke: #1f2328; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .dim { fill: #9198a1 }
    .bound { stroke: #e6edf3 }
  }`;

/**
 * A bar for every comparison that has a bound, drawn so that longer is better whichever way the
 * bound goes: a bar that reaches the line keeps it, one of twice that length is twice as good.
 */
export function plotOf(results: readonly Compared[]): string {
  const bars = results.flatMap(({ title, rows }) =>
    rows.filter((row) => reachOf(row) !== undefined).map((row) => ({ title, row })),
  );
  const height = headHeight + bars.length * rowHeight + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">How far each figure gets towards its bound</title>
<style>${style}
</style>
<rect class="page" width="${width}" height="${height}" rx="6"/>
<text class="head" x="${left}" y="24">Each figure against its bound</text>
<text class="dim" x="${left}" y="44">A bar that reaches the line keeps its bound; longer is better.</text>
${bars.map(({ title, row }, index) => barOf(title, row, headHeight + index * rowHeight)).join("\n")}
</svg>
`;
}

/** How far it gets, 1 being the bound; undefined where there is none or nothing was measured. */
export function reachOf(row: Row): number | undefined {
  const judged = judgedOf(row);
  if (Number.isNaN(judged) || (row.to !== undefined && row.otherValue === undefined)) return;
  if (row.most !== undefined) return row.most / judged;
  if (row.least !== undefined) return judged / row.least;
  return;
}

function barOf(title: string, row: Row, y: number): string {
  const reach = reachOf(row) ?? 0;
  const full = reach * (boundAt - left);
  const isCut = full > barMax;
  const length = Math.max(2, Math.min(full, barMax));
  const verdict = keepsBound(row) ? "kept" : "missed";
  const end = isCut ? "» " : "";
  // Beside the line even where the bar is shorter, so that the two never cross.
  const textAt = Math.max(left + length, boundAt) + 8;
  return `<text class="dim" x="${left}" y="${y + 12}">${escaped(`${title}, ${measuredWords(row)}`)}</text>
<rect class="${verdict}" x="${left}" y="${y + 18}" width="${length.toFixed(1)}" height="14" rx="2"/>
<line class="bound" x1="${boundAt}" y1="${y + 16}" x2="${boundAt}" y2="${y + 34}"/>
<text x="${textAt.toFixed(1)}" y="${y + 30}">${escaped(`${end}${judgedWords(row)} (${boundOf(row)})`)}</text>`;
}

function judgedWords(row: Row): string {
  const judged = number(judgedOf(row));
  const isRatio = row.judge !== "value" && row.ratio !== undefined;
  return isRatio ? `${judged} x ${row.to ?? ""}` : judged;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
