import { CephGateway } from "./ceph-gateway.ts";
import { haproxyMissing, startHaproxy } from "./haproxy.ts";
import type { ProxyChild } from "./proxy-child.ts";
import { PostgresServer } from "./postgres-server.ts";
import { ServerProcess, type ServerProcessOptions } from "./server-process.ts";

export interface ClusterOptions {
  readonly nodes?: number;
  /** Appended to what every node is started with. */
  readonly extraArguments?: readonly string[];
  /** What Node runs on every node in place of the clone's own command. */
  readonly program?: readonly string[];
  /** Where a node reaches Postgres and the gateway, when something stands in between. */
  readonly via?: (node: number, parts: ClusterParts) => Promise<ClusterAddresses>;
}

export interface ClusterParts {
  readonly postgres: PostgresServer;
  readonly ceph: CephGateway;
}

/** Both as the options of the server. */
export interface ClusterAddresses {
  readonly catalog: string;
  readonly blobs: string;
}

/** Several nodes on one Postgres and one bucket, with a load balancer before them. */
export class Cluster {
  readonly nodes: readonly ServerProcess[];
  readonly balancer: ProxyChild;
  readonly postgres: PostgresServer;
  readonly ceph: CephGateway;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: ClusterParts & {
      readonly nodes: readonly ServerProcess[];
      readonly balancer: ProxyChild;
    },
    stack: AsyncDisposableStack,
  ) {
    this.nodes = parts.nodes;
    this.balancer = parts.balancer;
    this.postgres = parts.postgres;
    this.ceph = parts.ceph;
    this.#stack = stack;
  }

  /** The cluster, or the reason why there can be none here. */
  static async start(options: ClusterOptions = {}): Promise<Cluster | string> {
    await using stack = new AsyncDisposableStack();
    if (haproxyMissing !== undefined) return haproxyMissing;
    const postgres = await PostgresServer.start();
    if (typeof postgres === "string") return postgres;
    stack.defer(() => postgres.remove());
    const ceph = await CephGateway.start();
    if (typeof ceph === "string") return ceph;
    stack.defer(() => ceph.stop());
    const parts = { postgres, ceph };
    const direct = {
      catalog: postgres.url(await postgres.createDatabase()),
      blobs: ceph.location({ prefix: "cluster" }),
    };
    const starting = Array.from({ length: options.nodes ?? 3 }, async (_, node) => {
      const addresses = (await options.via?.(node, parts)) ?? direct;
      return stack.use(await startNode(parts, addresses, options));
    });
    const nodes = await Promise.all(starting);
    const balancer = stack.use(await startHaproxy(nodes.map(({ address }) => address)));
    return new Cluster({ ...parts, nodes, balancer }, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** All are given the same key, and each brings the schema up to date: one of them does. */
function startNode(
  { ceph }: ClusterParts,
  { catalog, blobs }: ClusterAddresses,
  { extraArguments = [], program }: ClusterOptions,
): Promise<ServerProcess> {
  const options: ServerProcessOptions = {
    environment: {
      ...ceph.environment,
      HAWSER_CATALOG: catalog,
      HAWSER_BLOBS: blobs,
      HAWSER_KEY: "the key of the cluster under test",
    },
    extraArguments: ["--migrate", ...extraArguments],
    // Several start at once, on a machine that may have fewer processors.
    startTimeoutMs: 60_000,
  };
  return ServerProcess.start(program === undefined ? options : { ...options, program });
}
