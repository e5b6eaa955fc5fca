import { formatCrc32 } from "../../base/crc32.ts";
import type { BlobEpoch, StoredExtent } from "../blob-store.ts";

/** What a key says by itself: enough to name its extent in a catalog that has lost it. */
export interface S3KeyFacts {
  readonly deploymentId: string;
  readonly epoch: BlobEpoch;
  readonly extent: StoredExtent;
  readonly isUnproven: boolean;
}

/** What the last part of a key says. */
export interface KeyedRun extends Pick<StoredExtent, "start" | "length" | "crc32"> {
  readonly isUnproven?: boolean;
}

export interface S3KeySpace {
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly deploymentId: string;
}

/** `<prefix>/<deployment>/`: everything this deployment's uploads have. */
export function deploymentPrefix({ prefix, deploymentId }: S3KeySpace): string {
  return `${inPrefix(prefix, deploymentId)}/`;
}

/** `<prefix>/<deployment>/<blob>/<base>-<openedAt>-<fence>/`: all that one epoch makes. */
export function epochPrefix(space: S3KeySpace, epoch: BlobEpoch): string {
  const { blobId, base, openedAt, fence } = epoch;
  return `${deploymentPrefix(space)}${blobId}/${base}-${openedAt}-${fence}/`;
}

export function extentKey(
  space: S3KeySpace,
  epoch: BlobEpoch,
  { start, length, crc32, isUnproven = false }: KeyedRun,
): string {
  const run = `${start}-${length}-${formatCrc32(crc32)}`;
  return `${epochPrefix(space, epoch)}${run}${isUnproven ? "-unproven" : ""}`;
}

/** A name directly under the prefix, beside the deployments. */
export function inPrefix(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

const number = "(0|[1-9][0-9]{0,15})";
const shape = new RegExp(
  `^([^/]+)/([^/]+)/${number}-${number}-([^/]+)/${number}-${number}-([0-9a-f]{8})(-unproven)?$`,
);

/** What a key of an extent says; undefined for every other key. */
export function parseExtentKey(prefix: string, key: string): S3KeyFacts | undefined {
  const begin = prefix === "" ? "" : `${prefix}/`;
  if (!key.startsWith(begin)) return undefined;
  const found = shape.exec(key.slice(begin.length));
  if (found === null) return undefined;
  const [, deploymentId = "", blobId = "", base, openedAt, fence = "", ...run] = found;
  const [start, length, crc32, unproven] = run;
  return {
    deploymentId,
    epoch: { fence, blobId, base: Number(base), openedAt: Number(openedAt) },
    extent: {
      key,
      start: Number(start),
      length: Number(length),
      crc32: Number.parseInt(crc32 ?? "", 16),
      inline: undefined,
    },
    isUnproven: unproven !== undefined,
  };
}
