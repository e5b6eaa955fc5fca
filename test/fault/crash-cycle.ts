import { setTimeout as sleep } from "node:timers/promises";

import { SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { KnownUpload } from "./known-upload.ts";
import { ConnectionLostError, UploadClient } from "./upload-client.ts";

/** How many uploads flow at any time. */
const laneCount = 4;
const watchIntervalMs = 15;

export interface Crash {
  readonly server: ServerProcess;
  readonly random: SeededRandom;
  /** Resolves once the server is dead. `underWay` resolves when a first byte was acknowledged. */
  readonly fall: (underWay: Promise<unknown>) => Promise<void>;
}

/** Uploads on several lanes, one after another on each, until the server dies under them. */
export async function uploadUntilCrash(crash: Crash): Promise<readonly KnownUpload[]> {
  const workload = new Workload(crash);
  return workload.run();
}

/** Every upload as it was told, after the server has come back. */
export async function verifyAll(
  server: ServerProcess,
  uploads: readonly KnownUpload[],
): Promise<void> {
  const client = new UploadClient(server);
  // One after another per lane's worth, so that the test holds few files in memory.
  for (let at = 0; at < uploads.length; at += laneCount) {
    const some = uploads.slice(at, at + laneCount);
    await Promise.all(some.map((upload) => upload.verify(client)));
  }
}

class Workload {
  readonly #crash: Crash;
  readonly #client: UploadClient;
  readonly #uploads: KnownUpload[] = [];
  readonly #flowing = new Set<KnownUpload>();
  readonly #underWay = Promise.withResolvers<undefined>();
  #over = false;

  constructor(crash: Crash) {
    this.#crash = crash;
    this.#client = new UploadClient(crash.server);
  }

  async run(): Promise<readonly KnownUpload[]> {
    const { random, fall } = this.#crash;
    // Each lane has a generator of its own: the timing of one cannot shift another's.
    const lanes = Array.from({ length: laneCount }, () =>
      this.#lane(new SeededRandom(random.word())),
    );
    const falling = fall(this.#underWay.promise).finally(() => {
      this.#over = true;
    });
    const all = [falling, ...lanes, this.#watch()];
    // Nobody is left running, also when one of them fails for another reason than the crash.
    await Promise.allSettled(all);
    await Promise.all(all);
    return this.#uploads;
  }

  async #lane(random: SeededRandom): Promise<void> {
    await this.#untilLost(async () => {
      const upload = await KnownUpload.create(this.#client, random);
      this.#uploads.push(upload);
      this.#flowing.add(upload);
      await upload.send(this.#client);
      this.#flowing.delete(upload);
    });
  }

  /** Asks while bytes flow: what is told in the middle of an append is acknowledged too. */
  async #watch(): Promise<void> {
    await this.#untilLost(async () => {
      await sleep(watchIntervalMs);
      for (const upload of this.#flowing) await upload.look(this.#client);
      if (this.#uploads.some(({ acknowledged }) => acknowledged > 0)) {
        this.#underWay.resolve(undefined);
      }
    });
  }

  async #untilLost(step: () => Promise<void>): Promise<void> {
    while (!this.#over) {
      try {
        await step();
      } catch (error) {
        // Nobody waits any longer for a byte that will not be acknowledged.
        this.#underWay.resolve(undefined);
        if (!(error instanceof ConnectionLostError)) throw error;
        return;
      }
    }
  }
}
