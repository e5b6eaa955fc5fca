import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

/** The counts of a long run, as the campaigns take them; one that is set already is kept. */
const counts: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "kill-nine": { HAWSER_KILL_CYCLES: 10_000 },
  "kill-at": { HAWSER_KILL_AT_POINTS: 400 },
  // On each of two file systems.
  "power-cut": { HAWSER_POWER_CYCLES: 1_000 },
  "failed-sync": { HAWSER_SYNC_FAILURES: 20, HAWSER_OVERCOMMIT_TRIALS: 12 },
  nodes: { HAWSER_TAKEOVERS: 1_000, HAWSER_NODE_ROUNDS: 3 },
  "hostile-input": { HAWSER_FUZZ_REQUESTS: 1_000_000 },
};

const help = `Runs campaigns for hours, with these counts:

${Object.entries(counts)
  .map(([name, environment]) => `  ${name.padEnd(15)}${written(environment)}`)
  .join("\n")}

  npm run test:campaign:long               all of them, one after another
  npm run test:campaign:long -- kill-nine  these alone

Seeds, other counts and HAWSER_TRIALS_FILE are taken from the environment as ever.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(counts, name));

if (values.help) process.stdout.write(help);
else if (unknown.length > 0) {
  process.stderr.write(`There is no long run of ${unknown.join(", ")}.\n\n${help}`);
  process.exitCode = 2;
} else if (!(await run(positionals.length > 0 ? positionals : Object.keys(counts)))) {
  process.exitCode = 1;
}

function written(environment: Readonly<Record<string, number>>): string {
  return Object.entries(environment)
    .map(([name, count]) => `${name}=${count}`)
    .join(" ");
}

/** True when every test passed. */
async function run(names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    for (const [variable, count] of Object.entries(counts[name] ?? {})) {
      const given = process.env[variable] ?? "";
      if (given === "") process.env[variable] = `${count}`;
      process.stdout.write(`${name}: ${variable}=${process.env[variable] ?? ""}\n`);
    }
  }
  const vitest = await startVitest(
    names.map((name) => `/${name}.campaign.ts`),
    {
      run: true,
      watch: false,
      config: fileURLToPath(new URL("../vitest.campaign.config.ts", import.meta.url)),
    },
  );
  const modules = vitest.state.getTestModules();
  const errors = vitest.state.getUnhandledErrors();
  await vitest.close();
  return modules.length > 0 && errors.length === 0 && modules.every((each) => each.ok());
}
