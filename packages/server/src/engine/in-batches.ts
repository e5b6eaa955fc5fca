import type { EngineParts } from "./parts.ts";

export interface Batch {
  readonly done: number;
  /** Whether another may follow: it was full, and what it did is not due any more. */
  readonly more: boolean;
}

/**
 * What is due however much it is, in batches, so that a backlog never grows faster than it is
 * swept. Ends between two of them when the signal says so or when nothing may be removed any more.
 */
export async function inBatches(
  { removalGuard }: EngineParts,
  signal: AbortSignal | undefined,
  runBatch: () => Promise<Batch>,
): Promise<number> {
  let count = 0;
  // Asked again for every batch: an operator may hold removal while a long sweep goes on.
  while (!signal?.aborted && (await removalGuard.refusal()) === undefined) {
    const { done, more } = await runBatch();
    count += done;
    if (!more) break;
    // Whoever waits for this thread has a turn between any two.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}
