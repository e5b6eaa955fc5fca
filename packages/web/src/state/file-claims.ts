import { UploadError } from "hawser-client";

/** Thrown where a file is opened that is being sent already. */
export class HeldElsewhere extends UploadError {
  constructor() {
    super("source-unreadable", "the file is being sent elsewhere in this browser");
  }
}

/** Whoever of this browser sends a file for an app holds the lock of this name. */
export function claimName(appId: string, fileKey: string): string {
  return `hawser ${appId} ${fileKey}`;
}

/**
 * Claims a file for one sender of all tabs. Answers what ends the claim; undefined while it is
 * somebody's. Leaving the page ends it as well. Where a page has no locks, because it came without
 * TLS, claims are given to everybody: the server then lets the last one write.
 */
export async function claim(name: string): Promise<(() => void) | undefined> {
  const locks = lockManager();
  if (locks === undefined) return () => undefined;
  const claimed = Promise.withResolvers<(() => void) | undefined>();
  locks
    .request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        claimed.resolve(undefined);
        return undefined;
      }
      const held = Promise.withResolvers<undefined>();
      claimed.resolve(() => {
        held.resolve(undefined);
      });
      return held.promise;
    })
    .catch(claimed.reject);
  return claimed.promise;
}

/** Resolves when a claim has ended. */
export async function untilUnclaimed(name: string): Promise<void> {
  await lockManager()?.request(name, () => undefined);
}

/** The names of all claims. */
export async function everyClaim(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await lockManager()?.query()) ?? {};
  return new Set(held.flatMap(({ name }) => name ?? []));
}

function lockManager(): LockManager | undefined {
  return "locks" in navigator ? navigator.locks : undefined;
}
