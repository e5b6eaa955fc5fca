import { Cluster } from "../support/cluster.ts";
import { CutOffs } from "./cut-offs.ts";

/**
 * The store is in memory and nothing of it is removed for an hour: of uploads of up to 24 MiB,
 * each of which is there twice once it was made one object, it holds somewhat more than these.
 */
const uploadsMax = 100;

interface Supplied {
  readonly cluster: Cluster;
  readonly cutOffs: CutOffs;
}

/** A cluster for as many uploads as its store holds, then another one. */
export class ClusterSupply implements AsyncDisposable {
  #present: Supplied | undefined;
  #uploads = 0;

  /** One with room for so many uploads, or the reason why there can be none here. */
  async clusterFor(uploads: number): Promise<Cluster | string> {
    if (this.#uploads + uploads > uploadsMax) await this.#end();
    this.#uploads += uploads;
    if (this.#present !== undefined) return this.#present.cluster;
    const cutOffs = new CutOffs();
    const cluster = await Cluster.start({ via: (node, parts) => cutOffs.addresses(node, parts) });
    if (typeof cluster !== "string") this.#present = { cluster, cutOffs };
    return cluster;
  }

  /** Of the present cluster's nodes. */
  get cutOffs(): CutOffs {
    if (this.#present === undefined) throw new Error("there is no cluster");
    return this.#present.cutOffs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    const present = this.#present;
    [this.#present, this.#uploads] = [undefined, 0];
    await present?.cluster[Symbol.asyncDispose]();
    await present?.cutOffs[Symbol.asyncDispose]();
  }
}
