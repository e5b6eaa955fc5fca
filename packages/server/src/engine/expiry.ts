import type { Upload } from "../catalog/records.ts";

/**
 * The upload as it is at `now`: one whose time is over is expired, whether or not the sweep has
 * been there. One that only lacks its completion is completed first, never expired.
 */
export function asOf(upload: Upload, now: number): Upload {
  const mayExpire =
    upload.state === "complete" || (upload.state === "open" && upload.offset < upload.length);
  return mayExpire && upload.expiresAt <= now ? { ...upload, state: "expired" } : upload;
}
