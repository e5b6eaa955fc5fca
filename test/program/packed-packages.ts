import { execFile } from "node:child_process";
import { cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

import { environmentWithoutHawser, repositoryDirectory } from "../support/server-process.ts";

const run = promisify(execFile);

const packageNames = ["client", "server"] as const;

/** What a user's shell would have with this Node first, and nothing of the `npm run` around us. */
export function shellEnvironment(node: string): NodeJS.ProcessEnv {
  const plain = Object.entries(environmentWithoutHawser()).filter(
    ([name]) => !/^(npm_(?!config_registry$)|NODE_(OPTIONS|ENV)$|INIT_CWD$|VITEST)/.test(name),
  );
  const { PATH = "" } = process.env;
  return { ...Object.fromEntries(plain), PATH: `${dirname(node)}${delimiter}${PATH}` };
}

/** One command to its end; a failure carries all that it printed. */
export async function runIn(
  directory: string,
  command: readonly [string, ...string[]],
  node = process.execPath,
): Promise<string> {
  const [program, ...parameters] = command;
  const options = { cwd: directory, env: shellEnvironment(node), timeout: 5 * 60_000 };
  try {
    return (await run(program, parameters, options)).stdout;
  } catch (error) {
    const printed = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`${command.join(" ")} failed:\n${printed}`, { cause: error });
  }
}

/**
 * The checkout once more, without what is built, so that building leaves nothing behind in it. Its
 * modules are those of the checkout, but the workspaces are its own.
 */
export async function copyCheckout(target: string): Promise<void> {
  const built = new Set(["node_modules", "dist"]);
  const filter = (path: string) => !built.has(basename(path)) && !path.endsWith(".tsbuildinfo");
  await mkdir(target);
  for (const name of ["package.json", "tsconfig.base.json", "tsconfig.json", "packages"]) {
    await cp(join(repositoryDirectory, name), join(target, name), { recursive: true, filter });
  }
  const modules = join(repositoryDirectory, "node_modules");
  await mkdir(join(target, "node_modules"));
  for (const name of await readdir(modules)) {
    if (name === "hawser" || name === "hawser-client") continue;
    await symlink(join(modules, name), join(target, "node_modules", name));
  }
  await symlink("../packages/server", join(target, "node_modules/hawser"));
  await symlink("../packages/client", join(target, "node_modules/hawser-client"));
}

/** Builds, lints and packs both packages; answers the paths of the tarballs. */
export async function packPackages(checkout: string, target: string): Promise<readonly string[]> {
  await mkdir(target);
  await runIn(checkout, ["npm", "run", "build"]);
  for (const name of packageNames) {
    const place = join(checkout, "packages", name);
    await runIn(place, ["npx", "--no-install", "publint", "--strict"]);
    await runIn(place, ["npm", "pack", "--pack-destination", target]);
  }
  return (await readdir(target)).map((name) => join(target, name));
}

/** A project of somebody's that has nothing but these packages in it. */
export async function installPackages(
  directory: string,
  wanted: readonly string[],
  node = process.execPath,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const manifest = { name: "somebodys-project", private: true, type: "module" };
  await writeFile(join(directory, "package.json"), JSON.stringify(manifest));
  const install = () =>
    runIn(directory, ["npm", "install", "--no-audit", "--no-fund", ...wanted], node);
  // Once more, since a registry may fail for a moment.
  await install().catch(install);
}

/** Why nothing can be installed here; undefined when it can. */
export async function noRegistry(directory: string): Promise<string | undefined> {
  try {
    await runIn(directory, ["npm", "ping", "--fetch-retries=0", "--fetch-timeout=10000"]);
    return undefined;
  } catch (error) {
    const said = error instanceof Error ? String(error.cause) : "";
    const why = /^npm error (.* failed, reason: .*)$/m.exec(said)?.[1] ?? said.replace(/\s+/g, " ");
    return `the package registry cannot be reached: ${why}`;
  }
}
