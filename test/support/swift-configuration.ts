export interface SwiftPlaces {
  readonly directory: string;
  /** Swift gives up every right but this account's. */
  readonly user: string;
  readonly ports: Readonly<Record<SwiftServer, number>>;
  readonly cachePort: number;
  /** `account:user`, and what it signs with. */
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export const swiftServers = [
  "account-server",
  "container-server",
  "object-server",
  "proxy-server",
] as const;
export type SwiftServer = (typeof swiftServers)[number];

/** What every program of Swift reads: names are hashed with this, and there is one copy of all. */
export const swiftConfiguration = `[swift-hash]
swift_hash_path_suffix = hawser
[storage-policy:0]
name = only
default = yes
`;

export function swiftServerConfiguration(server: SwiftServer, places: SwiftPlaces): string {
  return server === "proxy-server" ? proxyConfiguration(places) : diskConfiguration(server, places);
}

/** One process a server, patient: on a machine that is busy, nothing else has gone wrong. */
function commonConfiguration(server: SwiftServer, { directory, user, ports }: SwiftPlaces): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${ports[server]}
workers = 0
user = ${user}
swift_dir = ${directory}
devices = ${directory}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
conn_timeout = 10
node_timeout = 60
log_level = WARNING
`;
}

function diskConfiguration(server: SwiftServer, places: SwiftPlaces): string {
  return `${commonConfiguration(server, places)}
[pipeline:main]
pipeline = healthcheck ${server}
[filter:healthcheck]
use = egg:swift#healthcheck
[app:${server}]
use = egg:swift#${server.replace("-server", "")}
# A listing is behind its objects when this runs out: nothing here would bring it up to date.
container_update_timeout = 60
`;
}

function proxyConfiguration(places: SwiftPlaces): string {
  const { keys, cachePort } = places;
  const [account = "", user = ""] = keys.accessKeyId.split(":");
  const filters =
    "catch_errors gatekeeper healthcheck cache listing_formats s3api tempauth bulk copy slo dlo " +
    "versioned_writes";
  const sections = filters
    .split(" ")
    .filter((name) => !["cache", "tempauth"].includes(name))
    .map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`);
  return `${commonConfiguration("proxy-server", places)}
[pipeline:main]
pipeline = ${filters} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${sections.join("")}
# Where it does not find this one, the filter behind it refuses every request.
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cachePort}
[filter:tempauth]
use = egg:swift#tempauth
user_${account}_${user} = ${keys.secretAccessKey} .admin
`;
}
