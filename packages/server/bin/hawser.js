#!/usr/bin/env node
// Published packages carry compiled JavaScript; a clone runs the TypeScript itself, with the
// `source` condition so that workspace imports resolve to source too.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const compiled = new URL("../dist/cli/main.js", import.meta.url);
// node_modules holds no runnable TypeScript, so a published package must use what was compiled.
const inClone = existsSync(source) && !source.includes("node_modules");

if (inClone) {
  const child = spawn(process.execPath, ["--conditions=source", source, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
  });
} else {
  await import(compiled.href);
}
