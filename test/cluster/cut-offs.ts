import type { ClusterAddresses, ClusterParts } from "../support/cluster.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

type Part = keyof ClusterAddresses;

/** Lets each node reach Postgres and the bucket on wires of its own, which can be cut. */
export class CutOffs implements AsyncDisposable {
  readonly #proxies = new Map<string, TcpProxy>();
  #catalog: Promise<string> | undefined;

  /** Where a node finds both: what the cluster is to be started with. */
  async addresses(node: number, { postgres, ceph }: ClusterParts): Promise<ClusterAddresses> {
    this.#catalog ??= postgres.createDatabase().then((name) => postgres.url(name));
    const catalog = new URL(await this.#catalog);
    const toCatalog = await TcpProxy.start({ host: "127.0.0.1", port: postgres.port });
    const toBlobs = await TcpProxy.start(ceph.address);
    this.#proxies.set(`${node} catalog`, toCatalog).set(`${node} blobs`, toBlobs);
    catalog.port = `${toCatalog.address.port}`;
    return {
      catalog: catalog.href,
      blobs: ceph.location({ prefix: "cluster", endpoint: toBlobs.url }),
    };
  }

  /** What is open breaks; what is opened from now on hangs. */
  cut(node: number, part: Part): void {
    const proxy = this.#proxy(node, part);
    proxy.setPlan(() => ({ toServer: { afterBytes: 0, fault: "stall" } }));
    proxy.resetAll();
  }

  mend(node: number, part: Part): void {
    const proxy = this.#proxy(node, part);
    proxy.setPlan(() => ({}));
    proxy.resetAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy.close();
  }

  #proxy(node: number, part: Part): TcpProxy {
    const proxy = this.#proxies.get(`${node} ${part}`);
    if (proxy === undefined) throw new Error(`there is no wire from node ${node} to its ${part}`);
    return proxy;
  }
}
