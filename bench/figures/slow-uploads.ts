import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { bareHttp } from "../contenders/bare-http.ts";
import type { Contender, ContenderKind } from "../contenders/contender.ts";
import { hawser } from "../contenders/hawser.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { KeepAliveConnection } from "../senders/keep-alive.ts";
import { limits } from "../../packages/server/src/base/limits.ts";
import { uploadOne } from "./small-uploads.ts";
import { percentile } from "./takeover.ts";

const slowUploads = 10_000;
const pieceBytes = 2 * 1024;
/** A tenth faster than the least rate, below which a sender is cut off. */
const pieceIntervalMs = 1_800;
/** By then each upload has reached the disk twice, and as many do so each second as ever will. */
const steadyMs = 2 * limits.trickleCheckpointMs + 5_000;
/** A healthy upload each so often, for as long as it takes the slow ones to reach the disk again. */
const healthyIntervalMs = 40;
const length = 1024 ** 2;
const healthyUploads = 500;

/** Ten thousand phones on bad networks, and one healthy client among them. */
export const slow: Figure = {
  name: "slow-uploads",
  title: "10,000 open slow uploads of 1 KiB/s",
  measure: async (bench) => {
    const rounds = await bench.rounds([hawser, bareHttp], (kind) => measure(bench, kind));
    const against = { of: hawser.name, to: bareHttp.name };
    return [
      { ...rounds.ratio({ ...against, what: "residentMB", most: 350 }), judge: "value" },
      rounds.ratio({ ...against, what: "idleMB" }),
      rounds.ratio({ ...against, what: "kilobytesPerUpload" }),
      { ...rounds.ratio({ ...against, what: "healthyP99Ms", most: 100 }), judge: "value" },
    ];
  },
};

async function measure(bench: Bench, kind: ContenderKind): Promise<Measured> {
  await using directory = await bench.disk.directory();
  const contender = await kind.start(directory.path);
  const slowOnes = new SlowSenders();
  try {
    const begun = await contender.process.residentBytes("VmRSS");
    await slowOnes.open(contender, bench.count(slowUploads));
    await sleep(steadyMs);
    const { times, resident } = await healthyTimes(contender, healthyUploads);
    const alive = slowOnes.alive;
    if (alive < bench.count(slowUploads)) throw new Error(`only ${alive} slow uploads are left`);
    return {
      residentMB: resident / 1e6,
      idleMB: begun / 1e6,
      kilobytesPerUpload: (resident - begun) / 1e3 / alive,
      healthyP99Ms: percentile(times, 0.99),
      healthyP50Ms: percentile(times, 0.5),
    };
  } finally {
    slowOnes.stop();
    await contender.stop();
  }
}

/** What uploads took among the slow ones, and the most memory that was seen meanwhile. */
async function healthyTimes(
  contender: Contender,
  count: number,
): Promise<{ readonly times: readonly number[]; readonly resident: number }> {
  const connection = await KeepAliveConnection.open(contender.port);
  const times: number[] = [];
  let resident = 0;
  for (let upload = 0; upload < count; upload += 1) {
    const begun = performance.now();
    await uploadOne(contender, connection);
    times.push(performance.now() - begun);
    resident = Math.max(resident, await contender.process.residentBytes("VmRSS"));
    await sleep(Math.max(0, begun + healthyIntervalMs - performance.now()));
  }
  connection.close();
  return { times, resident };
}

/** Each sends a piece at its turn, spread evenly over the time between two. */
class SlowSenders {
  readonly #sockets: Socket[] = [];
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  get alive(): number {
    return this.#sockets.filter((socket) => !socket.destroyed).length;
  }

  async open(contender: Contender, count: number): Promise<void> {
    const connections = 16;
    const share = Math.ceil(count / connections);
    await Promise.all(
      Array.from({ length: connections }, async (_, index) => {
        const connection = await KeepAliveConnection.open(contender.port);
        const most = Math.min(share, count - index * share);
        for (let made = 0; made < most; made += 1) await this.#openOne(contender, connection);
        connection.close();
      }),
    );
    this.#timer = setInterval(() => {
      this.#sendShare(20);
    }, 20);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  async #openOne(contender: Contender, connection: KeepAliveConnection): Promise<void> {
    const create = contender.create(length);
    if (create === null) throw new Error("nothing to create");
    const target = contender.append(await connection.send(create), 0);
    const socket = connect({ host: "127.0.0.1", port: contender.port });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.on("error", () => undefined);
    const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `${target.method} ${target.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers.join("")}` +
        `Content-Length: ${length}\r\n\r\n`,
    );
    this.#sockets.push(socket);
  }

  #sendShare(ms: number): void {
    const piece = Buffer.alloc(pieceBytes);
    const share = Math.ceil((this.#sockets.length * ms) / pieceIntervalMs);
    for (let sent = 0; sent < share; sent += 1) {
      this.#sockets[this.#next % this.#sockets.length]?.write(piece);
      this.#next += 1;
    }
  }
}
