import { limits } from "../../base/limits.ts";

/** A way to let the store refuse a body that is not the one we sent, cheapest first. */
export const digestForms = ["crc32", "sha256", "md5"] as const;
export type DigestForm = (typeof digestForms)[number];

/** What the store at hand does, as the self-test saw it. Plain data, made to be printed. */
export interface S3Profile {
  /** What every put carries; undefined where the store refuses no wrong digest at all. */
  readonly digest: DigestForm | undefined;
  /** The forms of which a wrong value was refused, and a right one taken. */
  readonly refusedDigests: readonly DigestForm[];
  /** Many keys are removed by one request; else by one each. */
  readonly batchDelete: boolean;
  /** Objects can be put together within the store. */
  readonly partCopy: boolean;
  /** So many parts one object is made of at most; a blob of more stays in its extents. */
  readonly partsMax: number;
  /** The ETag of a plain object is its MD5, that of a multipart one the MD5 of its parts' MD5s. */
  readonly md5Etags: boolean;
  /** `If-None-Match: *` keeps an object from being written over. Good to know; nothing needs it. */
  readonly conditionalPut: boolean;
  /** Where versions are kept, removing frees nothing until the bucket's life cycle says so. */
  readonly versioning: "off" | "on" | "suspended" | "unknown";
}

/** What is assumed until the self-test has run: what every store is known to do. */
export const cautiousProfile: S3Profile = Object.freeze({
  digest: "sha256",
  refusedDigests: [],
  batchDelete: false,
  partCopy: true,
  partsMax: limits.s3FewPartsMax,
  md5Etags: false,
  conditionalPut: false,
  versioning: "unknown",
});
