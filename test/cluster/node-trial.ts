import { setTimeout as sleep } from "node:timers/promises";

import { GraphPeer } from "../fault/graph-peer.ts";
import { dialects } from "../support/dialect-wire.ts";
import type { Cluster } from "../support/cluster.ts";
import { SeededRandom } from "../support/seeded.ts";
import { type Refusal, TakeSender } from "./take-sender.ts";
import { BrokenHistoryError, TakenUpload } from "./taken-upload.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
/** A hang guard: nothing that is done to a node lasts so long. */
const giveUpMs = 120_000;
/** Well below what a node waits for the bytes of a body. */
const heldMs = 10_000;
/** Its sender is behind, another one writes, or what is needed is away. */
const statusesToMeet: readonly Refusal[] = ["lost", 412, 502, 503, 504];

/** What was met on the way, for the record. */
export class Met {
  readonly takeMs: number[] = [];
  /** Of takes at a node after a take at another one, neither of them through the load balancer. */
  takenOver = 0;
  /** Of bytes that were sent and not committed when another node took the upload over. */
  lateWriters = 0;
  readonly #counts = new Map<string, number>();

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  inWords(): string {
    const sorted = this.takeMs.toSorted((one, other) => one - other);
    const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
    const times = `${sorted.length} takes in ms: median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`;
    const counts = [...this.#counts].map(([what, count]) => `${count} ${what}`);
    return [times, ...counts].join("; ");
  }
}

interface Wanted {
  /** Of its body; all that is left when left out. */
  readonly length?: number;
  /** Any that may be asked when left out; or another one than wrote last. */
  readonly node?: number | "another";
  readonly isHeld?: boolean;
}

/** One upload that is taken over from node to node, and what is sending it now. */
export class NodeTrial {
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #met: Met;
  #upload: TakenUpload | undefined;
  #sender: TakeSender | undefined;
  readonly #senders: TakeSender[] = [];
  #avoided: number | undefined;
  /** Where the last take was let in; undefined when that was not at a node by its own address. */
  #writer: number | undefined;

  constructor(cluster: Cluster, seed: number, met: Met) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(seed);
    this.#met = met;
  }

  /** Asks neither this node nor the load balancer, which may not have noticed yet. */
  avoid(node: number | undefined): void {
    this.#avoided = node;
  }

  async create(): Promise<void> {
    const length = this.#random.integer(1 * MiB, 24 * MiB);
    const dialect = this.#random.pick(dialects);
    const id = await this.#insist(() => this.#anyPeer().createOrFail(length, dialect));
    this.#upload = new TakenUpload(id, length, this.#random.word());
  }

  /** A short body that is answered, at any node. */
  async append(): Promise<void> {
    const sender = await this.#take({ length: this.#random.integer(1, 768 * KiB) });
    await sender.finish();
  }

  /** Goes on with it at `node`, at another than wrote last, or at any, by a sender that is slow. */
  async takeOver(node?: number | "another"): Promise<void> {
    // Half of the senders before go on as if nothing were: they must be stopped by the nodes.
    if (this.#random.fraction() < 0.5) this.#sender?.cut();
    this.#sender = await this.#take(node === undefined ? {} : { node });
  }

  /**
   * Others take it over and send nothing until `healed`, nor before whoever wrote when the fault
   * struck was answered: the offset is the same all the time, and what that one commits late is
   * stopped by its fence or not at all.
   */
  async hold(healed: Promise<void>): Promise<void> {
    const upload = this.#known();
    const late = this.#sender;
    const isHealed = healed.then(() => true);
    let holder: TakeSender;
    do {
      holder = await this.#take({ isHeld: true });
    } while (!(await Promise.race([isHealed, sleep(heldMs, false)])));
    this.#sender = holder;
    const answer = await late?.ended;
    if (late !== undefined && late.take.sentTo > holder.take.from) {
      const told = answer === undefined ? "not answered" : `answered ${answer.status}`;
      this.#met.lateWriters += 1;
      this.#met.count(`late writers ${told}`);
    }
    await this.#insist(() => upload.look(this.#anyPeer()));
    holder.goOn();
  }

  async flow(): Promise<void> {
    await sleep(this.#random.integer(5, 250));
  }

  /** All of it is sent, each byte is read back, and no sender was told what is not so. */
  async finish(): Promise<void> {
    const upload = this.#known();
    const giveUpAt = performance.now() + giveUpMs;
    for (;;) {
      this.#sender ??= await this.#take();
      const answer = await this.#sender.finish();
      if (typeof answer?.json.h === "string") {
        await this.#verify(answer.json.h);
        return;
      }
      if (performance.now() > giveUpAt) throw new Error(`cannot finish ${upload.id}`);
      this.#sender = undefined;
    }
  }

  /** Every sender has met its end: one that was superseded is never told that all was well. */
  async #verify(handle: string): Promise<void> {
    const upload = this.#known();
    const peer = this.#anyPeer();
    const { crc32 } = await this.#insist(() => peer.standing(upload.id));
    upload.verify(await this.#insist(() => peer.download(handle)), crc32);
    for (const sender of this.#senders) {
      const answer = await sender.ended;
      this.#met.count(answer === undefined ? "senders cut" : `senders answered ${answer.status}`);
    }
  }

  async #take({ length, node, isHeld = false }: Wanted = {}): Promise<TakeSender> {
    const upload = this.#known();
    const since = performance.now();
    for (;;) {
      const from = await this.#insist(() => upload.look(this.#anyPeer()));
      const to = length === undefined ? upload.length : from + length;
      const isWhole = to >= upload.length;
      const place = node === "another" ? this.#anotherNode() : (node ?? this.#anyPlace());
      const peer = this.#peers()[place];
      if (peer === undefined) throw new Error("there is no such node");
      const options = { peer, upload, from, isHeld, random: this.#random };
      const begun = await TakeSender.begin(isWhole ? options : { ...options, to });
      if (begun instanceof TakeSender) {
        this.#wrote(place);
        this.#met.takeMs.push(performance.now() - since);
        this.#senders.push(begun);
        return begun;
      }
      this.#met.count(`takes ${begun === "lost" ? "lost" : `answered ${begun}`}`);
      if (!statusesToMeet.includes(begun)) throw new Error(`a take was answered ${begun}`);
      if (performance.now() - since > giveUpMs) throw new Error(`nobody takes ${upload.id}`);
      if (begun !== 412) await sleep(20);
    }
  }

  /** What is needed may be away for a while. */
  async #insist<Value>(ask: () => Promise<Value>): Promise<Value> {
    const giveUpAt = performance.now() + giveUpMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof BrokenHistoryError || performance.now() > giveUpAt) throw error;
        this.#met.count("questions asked again");
        await sleep(50);
      }
    }
  }

  #known(): TakenUpload {
    if (this.#upload === undefined) throw new Error("it was not created");
    return this.#upload;
  }

  #wrote(place: number): void {
    const node = place < this.#cluster.nodes.length ? place : undefined;
    const isKnown = node !== undefined && this.#writer !== undefined;
    if (isKnown && node !== this.#writer) this.#met.takenOver += 1;
    this.#writer = node;
  }

  #anyPeer(): GraphPeer {
    const peer = this.#peers()[this.#anyPlace()];
    if (peer === undefined) throw new Error("there is nobody to ask");
    return peer;
  }

  /** One of `#peers`. */
  #anyPlace(): number {
    const balancer = this.#cluster.nodes.length;
    if (this.#avoided === undefined) return this.#random.integer(0, balancer);
    return this.#random.pick(this.#nodesBut(this.#avoided));
  }

  #anotherNode(): number {
    return this.#random.pick(this.#nodesBut(this.#writer));
  }

  #nodesBut(left: number | undefined): number[] {
    return [...this.#cluster.nodes.keys()].filter((node) => node !== left);
  }

  /** The nodes, then the load balancer. */
  #peers(): readonly GraphPeer[] {
    const { nodes, balancer } = this.#cluster;
    const [node] = nodes;
    if (node === undefined) throw new Error("the cluster has no node");
    const { appId, token } = node;
    const { origin: url, port } = balancer.url;
    return [...nodes, { appId, token, url, port: Number(port) }].map((it) => new GraphPeer(it));
  }
}
