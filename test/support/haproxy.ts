import { existsSync } from "node:fs";
import { ProxyChild } from "./proxy-child.ts";

const program = "/usr/sbin/haproxy";

/** Why there can be no HAProxy here; undefined when there can. */
export const haproxyMissing = existsSync(program) ? undefined : "HAProxy is not installed";

/** A load balancer that sends each request to the next node, whatever connection it came on. */
export function startHaproxy(servers: readonly URL[]): Promise<ProxyChild> {
  return ProxyChild.start({
    name: "haproxy",
    program,
    commandLine: (file) => ["-db", "-f", file],
    configurationOf: ({ port }) => configurationOf(port, servers),
  });
}

/** What docs/operating.md recommends, with three nodes and nothing sticky. */
function configurationOf(port: number, servers: readonly URL[]): string {
  const lines = servers.map(
    ({ host }, index) => `  server node${index + 1} ${host} check inter 500ms fall 2 rise 1`,
  );
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
  option http-no-delay
frontend uploads
  bind 127.0.0.1:${port}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  option redispatch
${lines.join("\n")}
`;
}
