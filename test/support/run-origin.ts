import { execFile } from "node:child_process";
import { arch, cpus, platform, release } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));

/** When, of what and on what something was measured. */
export interface RunOrigin {
  /** The day, as in 2026-11-24. */
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
}

let known: Promise<RunOrigin> | undefined;

/** Looked up once a process: what is running does not change under it. */
export function runOrigin(): Promise<RunOrigin> {
  known ??= lookUp();
  return known;
}

async function lookUp(): Promise<RunOrigin> {
  const [first] = cpus();
  const processors = `${cpus().length} x ${first?.model ?? arch()}`;
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await commit().catch(() => "unknown"),
    machine: `${processors}, ${platform()} ${release()}, Node ${process.version}`,
  };
}

async function commit(): Promise<string> {
  const { stdout: name } = await run("git", ["rev-parse", "--short=10", "HEAD"], {
    cwd: repository,
  });
  // Pages and figures are written by the commands themselves; they change nothing that is measured.
  const pathspec = ["--", ".", ":!docs", ":!*.md", ":!bench/figures.json"];
  const { stdout: changes } = await run("git", ["status", "--porcelain", ...pathspec], {
    cwd: repository,
  });
  return changes === "" ? name.trim() : `${name.trim()} with changes`;
}

/** One sentence for the top of a table, each origin once. */
export function originWords(origins: readonly (RunOrigin | undefined)[]): string {
  const texts = origins.map((origin) =>
    origin === undefined
      ? "at a time and place that were not recorded"
      : `on ${origin.date} at commit ${origin.commit} on ${origin.machine}`,
  );
  return `Run ${[...new Set(texts)].join("; ")}.`;
}
