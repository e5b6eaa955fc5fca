import type { Figure } from "../figure.ts";
import { client } from "./client.ts";
import { clientCuts } from "./client-cuts.ts";
import { clientSize } from "./client-size.ts";
import { fullCatalog } from "./full-catalog.ts";
import { dialects, oneBody, pacedWrites, smallWrites } from "./one-body.ts";
import { parallel } from "./parallel.ts";
import { s3Assembly } from "./s3-assembly.ts";
import { s3OneBody, s3SmallAppends } from "./s3-bodies.ts";
import { s3Memory } from "./s3-memory.ts";
import { s3Takeover } from "./s3-takeover.ts";
import { slow } from "./slow-uploads.ts";
import { smallUploads } from "./small-uploads.ts";
import { takeover } from "./takeover.ts";
import { toDisk } from "./to-disk.ts";

/** In the order of the table. */
export const figures: readonly Figure[] = [
  oneBody,
  smallWrites,
  pacedWrites,
  dialects,
  toDisk,
  smallUploads,
  parallel,
  takeover,
  slow,
  fullCatalog,
  client,
  clientCuts,
  clientSize,
  s3OneBody,
  s3SmallAppends,
  s3Memory,
  s3Takeover,
  s3Assembly,
];
