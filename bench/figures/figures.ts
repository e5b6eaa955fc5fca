import type { Figure } from "../figure.ts";
import { oneBody, smallWrites } from "./one-body.ts";
import { smallUploads } from "./small-uploads.ts";
import { toDisk } from "./to-disk.ts";

/** In the order of the table. */
export const figures: readonly Figure[] = [oneBody, smallWrites, toDisk, smallUploads];
