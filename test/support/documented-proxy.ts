import { existsSync } from "node:fs";
import { documentedBlock } from "./documented-block.ts";
import { ProxyChild, type ProxyPlace } from "./proxy-child.ts";

export type ProxyName = "nginx" | "haproxy" | "caddy";
export const proxyNames: readonly ProxyName[] = ["nginx", "haproxy", "caddy"];

interface Kind {
  readonly program: string;
  readonly commandLine: (file: string) => readonly string[];
  /** The page's block as a whole file that listens on loopback. */
  readonly fileOf: (block: string, place: ProxyPlace) => string;
}

/** Everything that nginx would write elsewhere goes into its own directory. */
function nginxFile(block: string, { directory, port }: ProxyPlace): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = kinds.map((kind) => `  ${kind}_temp_path ${directory}/${kind};`).join("\n");
  return `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr warn;
events { }
http {
  access_log off;
${temporary}
${replaceOnce(block, "listen 80;", `listen 127.0.0.1:${port};`)}
}
`;
}

const kinds: Readonly<Record<ProxyName, Kind>> = {
  nginx: {
    program: "/usr/sbin/nginx",
    commandLine: (file) => ["-c", file],
    fileOf: nginxFile,
  },
  haproxy: {
    program: "/usr/sbin/haproxy",
    commandLine: (file) => ["-db", "-f", file],
    fileOf: (block, { port }) => replaceOnce(block, "bind :80\n", `bind 127.0.0.1:${port}\n`),
  },
  caddy: {
    program: "/usr/bin/caddy",
    commandLine: (file) => ["run", "--adapter", "caddyfile", "--config", file],
    fileOf: (block, { port }) =>
      `{\n  admin off\n}\n${replaceOnce(block, ":80 {", `:${port} {\n  bind 127.0.0.1`)}`,
  },
};

/** A piece of the configuration that is there once, and what stands in its place. */
export type Change = readonly [piece: string, by: string];

/**
 * A proxy as docs/operating.md has it configured, before one server in place of its three, or the
 * reason why there can be none here; `without` leaves a line of the page out, `changes` are made to
 * the whole file.
 */
export async function startDocumentedProxy(
  name: ProxyName,
  server: URL,
  {
    without,
    changes = [],
  }: { readonly without?: string; readonly changes?: readonly Change[] } = {},
): Promise<ProxyChild | string> {
  const { program, commandLine, fileOf } = kinds[name];
  if (!existsSync(program)) return `${name} is not installed (${program})`;
  const documented = (await documentedBlock(name)).replaceAll(/10\.0\.0\.\d:8080/g, server.host);
  const block = without === undefined ? documented : replaceOnce(documented, without, "");
  const configurationOf = (place: ProxyPlace): string =>
    changes.reduce((file, [piece, by]) => replaceOnce(file, piece, by), fileOf(block, place));
  return ProxyChild.start({ name, program, commandLine, configurationOf });
}

function replaceOnce(text: string, part: string, by: string): string {
  if (text.split(part).length !== 2) throw new Error(`it does not have ${part} once:\n${text}`);
  return text.replace(part, () => by);
}
