import type { Writable } from "node:stream";

/** Resolves when the bytes were handed to the system, or can no longer be. */
export async function writeTaken(to: Writable, bytes: Buffer): Promise<void> {
  const taken = Promise.withResolvers<undefined>();
  const done = (): void => {
    taken.resolve(undefined);
  };
  to.once("close", done);
  to.write(bytes, done);
  await taken.promise;
  to.off("close", done);
}
