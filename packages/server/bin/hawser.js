#!/usr/bin/env node
// Published packages carry compiled JavaScript; a clone runs the TypeScript itself, with the
// `source` condition so that workspace imports resolve to source too.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

const source = new URL("../src/cli/main.ts", import.meta.url);
const compiled = new URL("../dist/cli/main.js", import.meta.url);
// node_modules holds no runnable TypeScript, so a published package must use what was compiled.
const inClone = existsSync(fileURLToPath(source)) && !source.pathname.includes("node_modules");

// What was stripped of its types or compiled once is not stripped or compiled again: the second
// start is quicker, and the compiler's tens of megabytes are never loaded.
enableCompileCache();

// Before anything uses the pool: half of it may wait for syncs, and the rest keeps writing.
process.env.UV_THREADPOOL_SIZE ??= "16";

if (!inClone) {
  await import(compiled.href);
} else if (process.execArgv.includes("--conditions=source")) {
  await import(source.href);
} else {
  // Half of Node's young generation: smaller, and small uploads spend their time in collections.
  const options = ["--max-semi-space-size=8", "--conditions=source"];
  const command = [...options, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(process.execPath, command, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
  });
}
