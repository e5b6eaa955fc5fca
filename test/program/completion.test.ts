import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, type TestContext } from "vitest";

import { wordsOf } from "../../packages/server/src/cli/completion-words.ts";
import { loadProgram } from "../../packages/server/src/cli/program.ts";
import { runHawser } from "./hawser-command.ts";

const run = promisify(execFile);
const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

let place: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "hawser-completion-"));
  for (const shell of shells) {
    const { code, stdout } = await runHawser(["completion", shell], { stateDirectory: place });
    expect(code).toBe(0);
    await writeFile(join(place, `script.${shell}`), stdout);
  }
  await mkdir(join(place, "place", "photos"), { recursive: true });
  await writeFile(join(place, "place", "a film.mp4"), "");
  return () => rm(place, { recursive: true, force: true });
}, 120_000);

const paths: Readonly<Record<Shell, string>> = {
  bash: "/usr/bin/bash",
  zsh: "/usr/bin/zsh",
  fish: "/usr/bin/fish",
};

function shellOrSkip(shell: Shell, context: TestContext): void {
  if (!existsSync(paths[shell])) context.skip(`${shell} is not installed`);
}

/** What each shell would be asked, as the shell itself is told. */
const questions: Readonly<Record<Shell, (words: readonly string[]) => string>> = {
  bash: (words) =>
    `COMP_WORDS=(hawser ${words.map(quoted).join(" ")}); COMP_CWORD=${words.length}
     _hawser; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The shell's own functions need its line editor; these say what they were given.
  zsh: (words) =>
    `words=(hawser ${words.map(quoted).join(" ")}); CURRENT=${words.length + 1}; _hawser`,
  fish: (words) => `complete -C ${quoted(`hawser ${words.join(" ")}`)}`,
};

const preludes: Readonly<Record<Shell, string>> = {
  bash: "source ../script.bash",
  zsh: `compdef() { : }
        _files() { [[ $1 == -/ ]] && print -rl -- *(/) || print -rl -- * }
        _describe() { local entry; for entry in "\${(@P)2}"; do print -r -- "\${entry%%:*}"; done }
        compadd() { shift; print -rl -- "$@" }
        source ../script.zsh`,
  fish: "source ../script.fish",
};

function quoted(word: string): string {
  return `'${word}'`;
}

/** Answers to several questions, in the order of the questions. */
async function complete(shell: Shell, asked: readonly (readonly string[])[]): Promise<string[][]> {
  const lines = asked.flatMap((words) => [questions[shell](words), "echo ---"]);
  const script = [preludes[shell], ...lines].join("\n");
  const options = { cwd: join(place, "place"), env: { ...process.env, HOME: place } };
  const noStartup = { bash: ["--norc"], zsh: ["-f"], fish: ["--no-config"] }[shell];
  const { stdout } = await run(paths[shell], [...noStartup, "-c", script], options);
  const answers = stdout.split("---\n").slice(0, -1);
  // Fish adds what the word means behind a tab; zsh leaves it to its own functions to filter.
  return answers.map((answer, at) => {
    const begun = shell === "zsh" ? (asked[at]?.at(-1) ?? "") : "";
    const words = answer.split("\n").map((line) => line.split("\t")[0] ?? "");
    return words.filter((word) => word !== "" && word.startsWith(begun));
  });
}

describe.each(shells)("the completion for %s", (shell) => {
  it("offers every command and every option there is", async (context) => {
    shellOrSkip(shell, context);
    const all = wordsOf(await loadProgram());
    const dashes = all.map(({ path }) => [...path.split(" ").filter(Boolean), "--"]);
    const answers = await complete(shell, [...dashes, [""], ["app", ""]]);
    for (const [at, { path, options }] of all.entries()) {
      const flags = options.map(({ long }) => long);
      expect(new Set(answers[at]), path).toEqual(new Set(flags));
    }
    const names = (path: string) =>
      all.find((each) => each.path === path)?.commands.map(({ name }) => name);
    expect(new Set(answers.at(-2))).toEqual(new Set(names("")));
    expect(new Set(answers.at(-1))).toEqual(new Set(names("app")));
  });

  it("completes what was begun, and what an option or argument may be", async (context) => {
    shellOrSkip(shell, context);
    const answers = await complete(shell, [
      ["pu"],
      ["put", "--para"],
      ["app", "create", "--content-policy", ""],
      ["completion", ""],
      ["help", "res"],
      ["token", "c"],
      ["put", "a"],
      ["put", "--data", ""],
      ["put", "--name", ""],
      ["get", ""],
    ]);
    const sorted = answers.map((answer) =>
      answer.map((word) => word.replace(/\/$/, "").replaceAll("\\", "")).sort(),
    );
    expect(sorted).toEqual([
      ["publish", "put"],
      ["--parallel"],
      ["off", "reject", "warn"],
      ["bash", "fish", "zsh"],
      ["resume"],
      ["create"],
      ["a film.mp4"],
      ["photos"],
      [],
      [],
    ]);
  });
});

it("an unknown shell is wrong usage", async () => {
  const result = await runHawser(["completion", "tcsh"], { stateDirectory: place });
  expect(result.code).toBe(2);
  expect(result.stderr).toContain("bash, zsh, fish");
});
