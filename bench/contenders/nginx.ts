import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { MeasuredProcess } from "../processes.ts";
import type { Contender, ContenderKind } from "./contender.ts";

const execute = promisify(execFile);

/** A C server that stores a PUT in a file: no offsets, no sync. One worker, the copy in place. */
export const nginx = nginxWith("nginx DAV PUT", "");
/** The same with a buffer that takes small writes together, as it can be set up. */
export const nginxGathering = nginxWith(
  "nginx DAV PUT, 1 MiB buffer",
  "client_body_buffer_size 1m;",
);

function nginxWith(name: string, settings: string): ContenderKind {
  return { name, missing, start: (dataDirectory) => start(name, settings, dataDirectory) };
}

async function missing(): Promise<string | undefined> {
  try {
    const { stderr } = await execute("nginx", ["-V"]);
    return stderr.includes("http_dav_module") ? undefined : "this nginx has no DAV module";
  } catch {
    return "nginx is not installed";
  }
}

async function start(name: string, settings: string, dataDirectory: string): Promise<Contender> {
  await mkdir(join(dataDirectory, "files"), { recursive: true });
  const port = await freePort();
  const configuration = join(dataDirectory, "nginx.conf");
  await writeFile(configuration, configurationText(dataDirectory, port, settings));
  const process = new MeasuredProcess("nginx", ["-c", configuration]);
  await answers(port);
  let number = 0;
  return {
    name,
    process,
    port,
    create: () => null,
    append: () => ({ method: "PUT", path: `/${(number += 1)}`, headers: {} }),
    stop: () => process.stop(),
  };
}

function configurationText(directory: string, port: number, settings: string): string {
  return `
    daemon off; master_process off; user root; pid ${directory}/nginx.pid;
    error_log ${directory}/error.log;
    events { worker_connections 64; }
    http {
      access_log off; client_max_body_size 0; ${settings}
      client_body_temp_path ${directory}/files/incoming;
      server {
        listen 127.0.0.1:${port};
        location / { root ${directory}/files; dav_methods PUT; }
      }
    }`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error("nginx does not answer");
}
