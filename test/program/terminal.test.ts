import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

import { sourceProgram } from "../support/server-process.ts";
import { runHawser } from "./hawser-command.ts";

const terminal = "/usr/bin/script";
// eslint-disable-next-line no-control-regex -- what makes colours is looked for
const colour = /\x1b\[\d+m/;

let place: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "hawser-terminal-"));
  return () => rm(place, { recursive: true, force: true });
});

type Variables = Readonly<Record<string, string>>;

/** A command that fails, because errors are where colours are. */
const failing = ["status", "film.mp4", "--to", "http://127.0.0.1:9", "--app", "1", "--token", "t"];

/** What a terminal would get to show. */
function onTerminal(words: readonly string[], variables: Variables = {}): Promise<string> {
  const line = [process.execPath, ...sourceProgram, ...words].map((word) => `'${word}'`).join(" ");
  const env = { PATH: process.env.PATH, TERM: "xterm-256color", HAWSER_STATE: place, ...variables };
  return new Promise((resolve) => {
    execFile(terminal, ["-qec", line, "/dev/null"], { cwd: place, env }, (_, stdout) => {
      resolve(stdout);
    });
  });
}

describe("colours", () => {
  it("are there on a terminal, and none with NO_COLOR or --no-color", async (context) => {
    if (!existsSync(terminal)) context.skip(`${terminal} (of bsdutils) makes the terminal`);
    const [plain, silenced, refused] = await Promise.all([
      onTerminal(failing),
      onTerminal(failing, { NO_COLOR: "1" }),
      onTerminal([...failing, "--no-color"], { FORCE_COLOR: "1" }),
    ]);
    for (const shown of [plain, silenced, refused])
      expect(shown).toContain("no upload of film.mp4");
    expect(plain).toMatch(colour);
    expect(silenced).not.toMatch(colour);
    expect(refused).not.toMatch(colour);
  });

  it("are never there where no terminal is", async () => {
    const { code, stderr } = await runHawser(failing, { stateDirectory: place });
    expect(code).toBe(4);
    expect(stderr).toContain("error: no upload of film.mp4");
  });
});

it("a drive letter makes a path, not a handle and not an address", async () => {
  const where = failing.slice(2);
  const file = "C:\\films\\film.mp4";
  const result = await runHawser(["publish", file, ...where], { stateDirectory: place });
  expect(result.code).toBe(4);
  expect(result.stderr).toContain(`no upload of ${file} is remembered here`);
});

it("an address that is none is wrong usage, and named", async () => {
  const words = ["put", "film.mp4", "--to", "C:\\films", "--app", "1", "--token", "t"];
  const result = await runHawser(words, { stateDirectory: place });
  expect(result.code).toBe(2);
  expect(result.stderr).toContain('url is "C:\\films"');
});
