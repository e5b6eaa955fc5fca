// What both public doors export.
export { UploadTask } from "./task.ts";
export { TaskQueue } from "./task-queue.ts";
export type { QueueOptions, StandardQueueOptions } from "./task-queue.ts";
export type { QueueSnapshot } from "./queue-totals.ts";
export type { UploadProgress, UploadResult, UploadSnapshot, UploadState } from "./state.ts";
export type {
  ConnectionOptions,
  StandardUploadOptions,
  UploadOptions,
  UploadWarning,
} from "./options.ts";
export { UploadError } from "./errors.ts";
export type { UploadErrorCode, UploadErrorFacts } from "./errors.ts";
export type { RetryPolicy } from "./retry.ts";
export type { SubscribeOptions } from "./listeners.ts";
export type { TokenSource } from "./dialects/token.ts";
export type {
  Append,
  AppDialect,
  AppendOutcome,
  Dialect,
  DialectClient,
  DialectParts,
  FileAbout,
  Standing,
  StandardDialect,
  UploadFacts,
} from "./dialects/dialect.ts";
export { graph } from "./dialects/graph.ts";
export type { GraphAppend } from "./dialects/graph.ts";
export type { DownloadOptions, GraphClient, ListOptions } from "./dialects/graph-client.ts";
export type { GraphPage, PublishedFile, UploadRecord } from "./dialects/graph-records.ts";
export type { ResumeEntry, ResumeStore } from "./resume-store/resume-store.ts";
export { resumeKey } from "./resume-store/resume-store.ts";
export { MemoryResumeStore } from "./resume-store/memory.ts";
export type { Connectivity, OnlineScope } from "./platform/connectivity.ts";
export { alwaysOnline, browserConnectivity } from "./platform/connectivity.ts";
export type { Platform, Tools } from "./platform/platform.ts";
export type { Source } from "./sources/source.ts";
export type { Clock, Random } from "./clock.ts";
export type { Crc32 } from "./crc32.ts";
export type {
  DownloadTransport,
  Transport,
  TransportAnswer,
  TransportBody,
  TransportDownload,
  TransportRequest,
} from "./transports/transport.ts";
