/**
 * The server's limits, and what an operator's setting is unless given, with units in their names.
 * Sources: docs/decisions/limits.md.
 */
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export const limits = Object.freeze({
  /** What one vectored write carries, and what a body gathers before it wakes the writer. */
  batchBytes: 1 * MiB,
  /** Gathered bytes at which a body stops reading its socket. */
  gatherBytesMax: 2 * MiB,
  /** Gathered bytes of all bodies together, beyond which each stops at one read's worth. */
  heldBytesMax: 64 * MiB,
  /** What a body takes in before its request has been looked at. */
  gatherEarlyBytesMax: 64 * KiB,
  /** How long a slow sender's bytes may wait to become a batch. */
  gatherMsMax: 50,
  /** Written bytes after which a checkpoint is due. */
  checkpointBytes: 8 * MiB,
  /** A checkpoint by time is due after max(this, 20 x the last sync). */
  checkpointMsMin: 1_000,
  checkpointSyncFactor: 20,
  /** A trickle of fewer bytes than this may wait longer for its checkpoint. */
  trickleBytesMax: 64 * KiB,
  trickleCheckpointMs: 15_000,
  /** With more appends than this at once, files are closed whenever they are clean. */
  cleanFilesMax: 1_000,
  /** Of the descriptors that the system allows, those that files being written may take. */
  openFilesShare: 0.4,
  /** Bodies of whole uploads up to this size live in the catalog. */
  inlineBytesMax: 16 * KiB,
  /** What one request may bring of which nothing counts before its digest matches. */
  unprovenBytesMax: 1 * GiB,
  /** What is looked at to tell a file's type. */
  sniffBytes: 4 * KiB,
  /** How long a newcomer waits for the holder of an upload to let go. */
  yieldMsMax: 15_000,
  /** How long who asks for an offset waits for what a sender brought that is gone. */
  endingMsMax: 1_000,
  drainMsMax: 9_000,
  /** From the signal to the end: a drain, and a second to close everything. */
  stopMsMax: 10_000,

  /** An S3 upload's first parts; later ones are 2, 4, 8 times as long from the offsets below on. */
  s3PartBytes: 8 * MiB,
  s3LongerPartsFrom: Object.freeze([8 * GiB, 24 * GiB, 72 * GiB]),
  /** A part's memory grows by doubling from this. */
  s3PartMemoryMin: 64 * KiB,
  /** Of one upload; one more is being filled meanwhile. */
  s3PartsInFlight: 4,
  /** Of all uploads: beyond it a part costs memory and waits for the others. */
  s3PutsInFlight: 64,
  /** Memory of all S3 parts being filled or put, and of those that are being merged. */
  s3PartsMemoryMax: 192 * MiB,
  s3MergesMemoryMax: 64 * MiB,
  /** So many neighbours of about a size become one extent. */
  s3MergeWidth: 8,
  /** Extents of an upload that are shorter than a part. */
  s3ShortExtentsMax: 56,
  /** Bytes of a slow sender wait this long at least before they become an object. */
  s3CheckpointMsMin: 5_000,
  s3AttemptsMax: 3,
  s3ConnectMsMax: 5_000,
  /** One attempt of a request, its body and the wait for the answer's head included. */
  s3AttemptMsMax: 120_000,
  /** A connection, or an answer that is read, in which nothing moves. */
  s3SilentMsMax: 20_000,
  /** How long the end of an append waits for puts whose outcome nobody needs any more. */
  s3CloseMsMax: 9_000,
  s3ReadsInFlight: 1_024,
  /** What S3 asks of every part of a multipart upload but the last. */
  s3MultipartBytesMin: 5 * MiB,
  s3MultipartPartsMax: 10_000,
  /** What is counted on where a store does not take as many. */
  s3FewPartsMax: 1_000,
  /** The longest part that S3 copies. */
  s3CopyBytesMax: 5 * GiB,
  /** Pieces of an assembly that are read and written again. */
  s3RewriteBytes: 8 * MiB,

  /** Free room that stays, as a share of the volume, where an operator says nothing else. */
  softRoomShare: 0.02,
  softRoomBytesMax: 1 * GiB,
  hardRoomShare: 0.005,
  hardRoomBytesMax: 256 * MiB,
  /** An open upload that brought nothing for this long has no room kept for it. */
  roomPromiseMs: 15 * 60_000,
  /** Free room is looked at again after max(this, 20 x what looking took). */
  roomLookMs: 1_000,
  roomLookFactor: 20,

  headersMsMax: 15_000,
  connectionsCheckMs: 2_000,
  keepAliveMs: 75_000,
  bodySilentMsMax: 30_000,
  leastRateBytesPerSecond: 1 * KiB,
  leastRateWindowMs: 60_000,
  leastRateGraceMs: 15_000,
  /** How long a client may take nothing of an answer, which is handed over half a MiB at a time. */
  readerSilentMsMax: 60_000,
  /** In which the whole body of a request must come that no protocol knows. */
  fallbackBodyMsMax: 30_000,
  /** How long a client that was told an offset by an interim answer is not told another. */
  interimMsMin: 1_000,
  /** What is read and dropped of a refused request's body. */
  refusedBytesMax: 1 * MiB,
  refusedMsMax: 2_000,
  /** What is read and dropped after the last answer of a connection, and for how long. */
  lingerBytesMax: 1 * MiB,
  lingerSilentMsMax: 2_000,
  lingerMsMax: 10_000,
  /** A writer that brought nothing for so long is shown as stalled. */
  stalledMsMin: 5_000,
  /** What operators see is looked up again after max(the first, the factor x what looking took). */
  liveMsMin: 1_000,
  liveLookFactor: 20,
  liveCountMsMin: 5_000,
  liveCountFactor: 100,
  livePageSizeDefault: 100,
  livePageSizeMax: 200,
  /** Who may watch one node at once, and how long one may take nothing of what it is sent. */
  liveListenersMax: 16,
  liveSilentMsMax: 10_000,
  /** How often a token that watches is looked at again. */
  liveTokenMs: 5_000,
  /** Kept in memory: seconds of throughput, and requests that failed. */
  liveSamplesMax: 300,
  liveErrorsMax: 50,
  /** How long a link to look at a file works without a token. */
  previewMs: 10 * 60_000,
  /** How long a browser may remember what it was allowed; Chromium remembers no longer. */
  preflightSeconds: 2 * 60 * 60,
  /** Bodies that are parsed: parameters of start and publish. */
  formBytesMax: 1 * MiB,

  /** How long an app or a token that was looked up is remembered: a revocation takes no longer. */
  recentMs: 1_000,
  recentEntriesMax: 10_000,

  fileNameBytesMax: 255,
  descriptionBytesMax: 8 * KiB,
  offsetMax: Number.MAX_SAFE_INTEGER,
  appLengthMaxDefault: 100 * GiB,
  uploadLifetimeMsDefault: 24 * 60 * 60 * 1000,
  handleLifetimeMsDefault: 4 * 24 * 60 * 60 * 1000,
  /** Doomed bytes stay at least this long, so that a mistake can be undone and readers finish. */
  doomedMs: 60 * 60 * 1000,
  /** Rows of ended uploads stay this long, so that "gone" can be told from "never was". */
  endedRowsMs: 7 * 24 * 60 * 60 * 1000,
  sweepIntervalMs: 60_000,
  /** The wall clock was set when it moved by more than this against the machine's uptime. */
  clockJumpMs: 5 * 60 * 1000,
  /** So long after that nothing is swept. */
  clockPauseMs: 60 * 60 * 1000,
  /** Large files of which a node makes the SHA-256 at once. */
  digestsInFlight: 2,
  /** How often is looked for published files whose SHA-256 is due. */
  digestLookMs: 1_000,
  /** When the keys of an epoch are looked at: so long after it was closed, then after each look. */
  orphanLooksMs: Object.freeze([60 * 60 * 1000, 24 * 60 * 60 * 1000, 7 * 24 * 60 * 60 * 1000]),
  /** How often is looked for blobs whose extents are to be made one. */
  assemblyLookMs: 1_000,
  /** How long one try to make a blob's extents one may take; after a crash the next waits for it. */
  assemblyMsMax: 60 * 60 * 1000,
  assemblyTriesMax: 5,
  /** Before the second try; each later one waits four times as long as the one before. */
  assemblyRetryMs: 60_000,
  /** How often a reader looks for a blob's bytes elsewhere before it gives up. */
  rereadsMax: 3,
  /** Well below `doomedMs`: what a URL shows is not removed while the URL lives. */
  signedUrlSeconds: 5 * 60,
  pageSizeDefault: 25,
  pageSizeMax: 100,
});
