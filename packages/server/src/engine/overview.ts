import { limits } from "../base/limits.ts";
import type { OpenQuery } from "../catalog/catalog.ts";
import type { Upload, UploadState } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";

export type { OpenQuery } from "../catalog/catalog.ts";
export type { RoomReport } from "./room.ts";

/** An open upload, and what is known of whoever sends it. */
export interface SeenUpload {
  readonly upload: Upload;
  /** Who is sending it now: to this process, to another one, or nobody. */
  readonly writer: "here" | "elsewhere" | undefined;
  /** Up to where bytes have arrived here, durable or not. */
  readonly received: number | undefined;
  readonly dialect: string | undefined;
  /** Since when its writer here has brought nothing; undefined while it does. */
  readonly stalledSince: number | undefined;
}

/** Open uploads of all apps or one, the most recently changed first. */
export async function seeOpenUploads(parts: EngineParts, query: OpenQuery): Promise<SeenUpload[]> {
  const uploads = await parts.catalog.listOpen(query);
  const others = uploads.map(({ id }) => id).filter((id) => !parts.leases.isHeld(id));
  const held = await parts.catalog.heldElsewhere(others);
  return uploads.map((upload) => seen(parts, upload, held));
}

/** The uploads whose writers here have stalled, the longest first. */
export function stalledIds({ activity }: EngineParts): string[] {
  return activity.silentFor(limits.stalledMsMin);
}

/** Stalled uploads of all apps or one, as many as wanted, the longest first. */
export async function seeStalledUploads(
  parts: EngineParts,
  { appId, limit }: Pick<OpenQuery, "appId" | "limit">,
): Promise<SeenUpload[]> {
  const found: SeenUpload[] = [];
  for (const id of stalledIds(parts)) {
    if (found.length >= limit) break;
    const upload = await parts.catalog.findUpload(id);
    if (upload?.state !== "open") continue;
    if (appId === undefined || upload.appId === appId) found.push(seen(parts, upload, new Set()));
  }
  return found;
}

/** How many uploads there are in each state; it costs a look at every one of them. */
export function countUploads(parts: EngineParts): Promise<Record<UploadState, number>> {
  return parts.catalog.countUploads();
}

function seen(parts: EngineParts, upload: Upload, held: ReadonlySet<string>): SeenUpload {
  const { activity, leases, clock } = parts;
  const writer = activity.writerOf(upload.id);
  if (writer === undefined) {
    // Held without a writer: it is being taken, ended or completed.
    const isHere = leases.isHeld(upload.id);
    const elsewhere = held.has(upload.id) ? "elsewhere" : undefined;
    const nothing = { received: undefined, dialect: undefined, stalledSince: undefined };
    return { upload, writer: isHere ? "here" : elsewhere, ...nothing };
  }
  const silentMs = clock.monotonic() - writer.arrivedAt;
  return {
    upload,
    writer: "here",
    received: Math.max(writer.position, upload.offset),
    dialect: writer.dialect,
    stalledSince: silentMs < limits.stalledMsMin ? undefined : clock.now() - Math.round(silentMs),
  };
}
