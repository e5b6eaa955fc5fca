import type { Upload } from "../catalog/records.ts";

export function hasAllBytes({ state, offset, length }: Upload): boolean {
  return state === "open" && offset === length;
}

/** Whether it has all that completes it, and a crash only kept the completion from it. */
export function lacksCompletion(upload: Upload): boolean {
  return upload.completes === "at_length" && hasAllBytes(upload);
}

/**
 * The upload as it is at `now`: one whose time is over is expired, whether or not the sweep has
 * been there. One that only lacks its completion is completed first, never expired.
 */
export function asOf(upload: Upload, now: number): Upload {
  const { state } = upload;
  const mayExpire = state === "complete" || (state === "open" && !lacksCompletion(upload));
  return mayExpire && upload.expiresAt <= now ? { ...upload, state: "expired" } : upload;
}
