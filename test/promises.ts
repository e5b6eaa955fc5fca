import { appendFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest, type TestModule } from "vitest/node";
import { rewritePage } from "./support/marked-section.ts";
import { promisesSection, readKeptLines, type KeptLine } from "./support/promises-table.ts";
import { runOrigin } from "./support/run-origin.ts";

const help = `Runs the campaigns of test/fault and test/cluster/nodes, and writes the tables of docs/promises.md.

  npm run promises                   all of them; their counts are set by the environment
  npm run promises -- races network  these campaigns alone: the tables then have nothing else
  npm run promises -- --from FILE    no run: the tables of a file of JSON lines (HAWSER_TRIALS_FILE)

When a test fails, the page stays as it is.
`;

const repository = fileURLToPath(new URL("../", import.meta.url));
const page = join(repository, "docs/promises.md");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: "string" }, help: { type: "boolean", default: false } },
});

if (values.help) process.stdout.write(help);
else await writeTables(values.from ?? (await newTrials(positionals)));

async function writeTables(file: string | undefined): Promise<void> {
  if (file === undefined) {
    process.stderr.write("Not every test passed: docs/promises.md stays as it is.\n");
    process.exitCode = 1;
    return;
  }
  const lines = readKeptLines(await readFile(file, "utf8"));
  await rewritePage(page, [{ name: "promises", content: promisesSection(lines) }]);
  process.stdout.write(`docs/promises.md is written from ${file}\n`);
}

/** The file of what the campaigns kept; undefined when a test failed. It is left: hours made it. */
async function newTrials(wanted: readonly string[]): Promise<string | undefined> {
  const file = join(await mkdtemp(join(tmpdir(), "hawser-promises-")), "trials.jsonl");
  await writeFile(file, "");
  process.stdout.write(`results are added to ${file}\n`);
  process.env.HAWSER_TRIALS_FILE = file;
  const vitest = await startVitest(wanted.length > 0 ? [...wanted] : undefined, {
    run: true,
    watch: false,
    config: join(repository, "vitest.promises.config.ts"),
  });
  const modules = vitest.state.getTestModules();
  const errors = vitest.state.getUnhandledErrors();
  await vitest.close();
  const passed = modules.length > 0 && errors.length === 0 && modules.every((each) => each.ok());
  if (!passed) return undefined;
  for (const line of await skippedIn(modules)) await appendFile(file, `${JSON.stringify(line)}\n`);
  return file;
}

async function skippedIn(modules: readonly TestModule[]): Promise<KeptLine[]> {
  const origin = await runOrigin();
  return modules
    .flatMap((module) => [...module.children.allTests("skipped")])
    .map((test): KeptLine => {
      const result = test.result();
      const reason = result.state === "skipped" ? result.note : undefined;
      return { kind: "skipped", test: test.fullName, reason: reason ?? "no reason given", origin };
    });
}
