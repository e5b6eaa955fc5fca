export type { Extent, PublishedFile, Upload, UploadState } from "../catalog/records.ts";
