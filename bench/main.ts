import { parseArgs } from "node:util";
import { BenchRun } from "./bench-run.ts";
import type { Figure } from "./figure.ts";
import { figures } from "./figures/figures.ts";
import { tableOf } from "./table.ts";

const help = `Measures Hawser against its peers and prints a table.

  npm run bench                      everything, 5 rounds
  npm run bench -- one-body client   these figures alone
  npm run bench -- --rounds 1 --scale 0.1   a quick look
  npm run bench -- --json FILE       keep the rows for docs/performance.md

Figures: ${figures.map((figure) => figure.name).join(", ")}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
} else {
  const unknown = positionals.filter((name) => figures.every((figure) => figure.name !== name));
  if (unknown.length > 0) throw new Error(`no such figure: ${unknown.join(", ")}\n${help}`);
  const asked = figures.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  const wanted: Figure[] = [];
  for (const figure of asked) {
    const reason = await figure.missing?.();
    if (reason === undefined) wanted.push(figure);
    else process.stderr.write(`${figure.name} is not measured here: ${reason}\n`);
  }
  const run = new BenchRun({ rounds: Number(values.rounds), scale: Number(values.scale) });
  const results = await run.measure(wanted);
  const compared = results.map(({ figure: { title }, rows }) => ({ title, rows }));
  process.stdout.write(`${tableOf(compared)}\n`);
  if (values.json !== undefined) await run.keep(values.json, results);
}
