import { asError } from "../../../packages/server/src/base/errors.ts";
import type { Chance } from "./chance.ts";

export type Later = (task: () => void) => void;

/** What a kernel operation does when it begins and when it ends; both may throw for the caller. */
export interface KernelOperation<Result> {
  readonly begin: () => void;
  readonly end: () => Result;
}

interface Operation {
  readonly kernel: KernelOperation<unknown>;
  begun: boolean;
}

/** Where file operations wait for a thread, so that each may happen late and in any order. */
export class ThreadPool {
  readonly #later: Later;
  readonly #operations = new Set<Operation>();

  constructor(later: Later) {
    this.#later = later;
  }

  run<Result>(kernel: KernelOperation<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const operation: Operation = { kernel, begun: false };
      this.#operations.add(operation);
      const end = (): void => {
        this.#operations.delete(operation);
        try {
          resolve(kernel.end());
        } catch (error) {
          reject(asError(error));
        }
      };
      this.#later(() => {
        operation.begun = true;
        try {
          kernel.begin();
          this.#later(end);
        } catch (error) {
          this.#operations.delete(operation);
          this.#later(() => {
            reject(asError(error));
          });
        }
      });
    });
  }

  /** The process ends: what waits is done or not, in any order, and nobody is told. */
  abandon(chance: Chance): void {
    for (const { kernel, begun } of chance.shuffled(this.#operations)) {
      if (!begun && chance.happens(0.5)) continue;
      try {
        if (!begun) kernel.begin();
        if (chance.happens(0.5)) kernel.end();
      } catch {
        // Nobody is left to be told.
      }
    }
    this.#operations.clear();
  }
}
