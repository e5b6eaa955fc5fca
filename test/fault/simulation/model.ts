import { crc32 } from "../../../packages/server/src/base/crc32.ts";
import type { Advance, EndUpload } from "../../../packages/server/src/catalog/catalog.ts";
import type {
  Completion,
  CompletionRule,
  Extent,
  Upload,
} from "../../../packages/server/src/catalog/records.ts";
import type { MemoryRows } from "../../support/memory-rows.ts";
import { endOf, isProven, mayComplete, sentBytes, type Attempt } from "./attempt.ts";
import type { PlannedUpload } from "./schedule.ts";
import type { CatalogWatch } from "./simulated-catalog.ts";
import type { SimulatedVolume, VolumeWatch } from "./simulated-volume.ts";

/** More than any append says or sends beyond the length that is meant. */
const slackBytes = 1_024;

/** An upload as its senders may count on it. */
export interface KnownUpload {
  readonly id: string;
  readonly rule: CompletionRule;
  /** What its senders mean to bring, where nobody has said another length. */
  readonly meantLength: number;
  /** What was committed, byte by byte. */
  readonly bytes: Buffer;
  /** As it was said when it was created, or committed since. */
  length: number | undefined;
  readonly attempts: Attempt[];
  committed: number;
  /** The highest offset that anybody was told. */
  told: number;
  completion: Completion | undefined;
  toldCreated: boolean;
  toldComplete: boolean;
  toldCancelled: boolean;
  /** Somebody took bytes away behind the program's back. */
  robbed: boolean;
}

export interface ModelParts {
  readonly rows: MemoryRows;
  readonly note: (what: string) => void;
  /**
   * Looks at every commit at what a power cut would leave. Without it only what a crash did leave
   * can give a fault away.
   */
  readonly looksAhead: boolean;
}

/**
 * What must hold, checked at every commit, at every change of a file, at every answer and after
 * every crash. The first thing that does not is kept.
 */
export class Model implements VolumeWatch, CatalogWatch {
  readonly #rows: MemoryRows;
  readonly #uploads = new Map<string, KnownUpload>();
  /** Files of the process that runs now. */
  readonly #made = new Set<string>();
  readonly counts = {
    commits: 0,
    completions: 0,
    /** Committed after the creation. */
    lengths: 0,
    /** Appends refused for their digest. */
    mismatches: 0,
    faults: 0,
    takeovers: 0,
    quarantined: 0,
    removed: 0,
  };
  /** Looked at by the model only; set once it is made. */
  #volume: SimulatedVolume | undefined;
  #failure: string | undefined;
  readonly #note: (what: string) => void;

  readonly #looksAhead: boolean;

  constructor(parts: ModelParts) {
    this.#rows = parts.rows;
    this.#note = parts.note;
    this.#looksAhead = parts.looksAhead;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  watchOver(volume: SimulatedVolume): void {
    this.#volume = volume;
  }

  expect(id: string, { length, isDeferred, completes }: PlannedUpload): KnownUpload {
    const upload: KnownUpload = {
      id,
      rule: completes,
      meantLength: length,
      bytes: Buffer.alloc(length + slackBytes),
      length: isDeferred ? undefined : length,
      attempts: [],
      committed: 0,
      told: 0,
      completion: undefined,
      toldCreated: false,
      toldComplete: false,
      toldCancelled: false,
      robbed: false,
    };
    this.#uploads.set(id, upload);
    return upload;
  }

  get uploads(): KnownUpload[] {
    return [...this.#uploads.values()];
  }

  fail(problem: string): void {
    this.#failure ??= problem;
    this.#note(`FAILED ${problem}`);
  }

  /** Somebody is told an offset. Never more than is committed, never less than was told before. */
  tell(upload: KnownUpload, offset: number, toldBefore: number): void {
    if (offset < toldBefore) {
      this.fail(`offset ${offset} was told after ${toldBefore}: it went down`);
    }
    if (offset > upload.committed) {
      this.fail(`offset ${offset} was told and only ${upload.committed} is committed`);
    }
    upload.told = Math.max(upload.told, offset);
  }

  /** Somebody is told a length, or that there is none yet; it may have been said meanwhile. */
  tellLength(upload: KnownUpload, length: number | undefined): void {
    if (length !== undefined && length !== upload.length) {
      this.fail(`length ${length} was told and ${String(upload.length)} is committed`);
    }
  }

  // The volume's changes.

  creates(key: string): void {
    this.#made.add(key);
  }

  writes(key: string, position: number): void {
    const extent = this.#rows.extentOfKey(key)?.extent;
    if (extent !== undefined && position < extent.length) {
      this.fail(`byte ${position} of a file was written again below ${extent.length}`);
    }
  }

  truncates(key: string, length: number): void {
    const extent = this.#rows.extentOfKey(key)?.extent;
    if (extent !== undefined && length < extent.length) {
      this.fail(`a file was cut to ${length}, below the ${extent.length} that are committed`);
    }
  }

  removes(key: string): void {
    this.counts.removed += 1;
    // A commit that names such a file afterwards finds its bytes missing.
    const isUnnamed = this.#made.has(key) && !this.#rows.knows(key);
    if (!isUnnamed && !this.#rows.doomed.has(key)) {
      this.fail("a file was removed that no row dooms");
    }
  }

  quarantines(key: string): void {
    this.counts.quarantined += 1;
    if (this.#rows.knows(key)) this.fail("a file was set aside that a row names");
    if (this.#made.has(key)) this.fail("a file of this process was set aside");
  }

  strays(meant: string, met: string | undefined): void {
    const where = met === undefined ? "a closed descriptor" : `another file (${met.slice(0, 5)})`;
    this.fail(`an operation on a file (${meant.slice(0, 5)}) met ${where}`);
  }

  injects(fault: string): void {
    this.counts.faults += 1;
    this.#note(`fault ${fault}`);
  }

  // The catalog's commits.

  advanced(advance: Advance, fence: string | undefined): void {
    this.counts.commits += 1;
    this.#note(`commit ${advance.from} to ${advance.to}`);
    const upload = this.#uploads.get(advance.id);
    if (upload === undefined) {
      this.fail("an unknown upload was advanced");
      return;
    }
    const { from, to } = advance;
    if (advance.fence !== fence) this.fail("the offset moved under a fence that was superseded");
    if (advance.length !== undefined) this.#lengthSaid(upload, advance, advance.length);
    if (from !== upload.committed || to < from || to > (upload.length ?? upload.bytes.length)) {
      this.fail(`the offset moved from ${from} to ${to} where ${upload.committed} was committed`);
      return;
    }
    // Only a length: no byte is told by that, so nobody looked whether they are still all there.
    if (upload.robbed && to === from && advance.ending === undefined) return;
    const extents = this.#rows.extentsOf(advance.blobId);
    const bytes = this.#bytesOf(extents);
    if (bytes.length < to) {
      this.fail(`offset ${to} was committed and only ${bytes.length} bytes are durable`);
      return;
    }
    if (!bytes.subarray(0, from).equals(upload.bytes.subarray(0, from))) {
      this.fail("bytes below the offset are not those that were committed");
    }
    const added = bytes.subarray(from, to);
    const senders = this.#sendersOf(upload, from, added);
    added.copy(upload.bytes, from);
    upload.committed = to;
    if (crc32(upload.bytes.subarray(0, to)) !== advance.crc32) {
      this.fail("the CRC-32 that was committed is not that of the bytes");
    }
    if (advance.ending?.state === "complete") {
      // One that has all its bytes and only lacks its completion is completed by whoever looks.
      const isLeft = to === from && upload.rule === "at_length";
      this.#completed(upload, advance.ending.completion, isLeft ? undefined : senders);
    }
  }

  /** Those whose bytes these may be. */
  #sendersOf(upload: KnownUpload, from: number, bytes: Buffer): Attempt[] {
    const senders = upload.attempts.filter((attempt) => sent(attempt, from, bytes));
    const proven = senders.filter(isProven);
    if (bytes.length > 0 && proven.length === 0) {
      const why = senders.length === 0 ? "no single append has sent" : "no digest has proven";
      this.fail(`bytes ${from} to ${from + bytes.length} were committed that ${why}`);
    }
    return proven;
  }

  /** Once, and by somebody whose words count: what it says outright, or the end of what ends it. */
  #lengthSaid(upload: KnownUpload, { from }: Advance, length: number): void {
    this.counts.lengths += 1;
    if (upload.length !== undefined) {
      this.fail(`the length ${upload.length} became ${length}`);
      return;
    }
    const sayers = upload.attempts.filter((attempt) => attempt.start <= from && isProven(attempt));
    const isSaid = sayers.some((attempt) => {
      const ends = attempt.completes === "at_end" && attempt.body.ending === "clean";
      return attempt.declared === length || (ends && endOf(attempt) === length);
    });
    if (!isSaid) this.fail(`the length ${length} was committed that nobody has said`);
    upload.length = length;
  }

  ended(ending: EndUpload, fence: string | undefined): void {
    this.#note(`end ${ending.state}`);
    if (ending.fence !== fence) this.fail("an upload ended under a fence that was superseded");
    if (ending.state === "damaged" && this.#uploads.get(ending.id)?.robbed !== true) {
      this.fail("an upload was called damaged and nobody had touched its bytes");
    }
  }

  expired(ids: readonly string[], held: ReadonlySet<string>): void {
    if (ids.some((id) => held.has(id))) this.fail("an upload expired while somebody wrote it");
  }

  #completed(
    upload: KnownUpload,
    completion: Completion,
    senders: readonly Attempt[] | undefined,
  ): void {
    this.counts.completions += 1;
    const { committed, rule } = upload;
    if (upload.completion !== undefined) this.fail("an upload was completed twice");
    if (committed !== upload.length) this.fail("an upload was completed too early");
    const completers = senders?.filter((attempt) => endOf(attempt) === committed);
    if (completers?.some((attempt) => mayComplete(attempt, rule)) === false) {
      this.fail("an upload was completed by no body that ended cleanly and may complete it");
    }
    upload.completion = completion;
  }

  // After a crash.

  /** The process has ended; what is left must be what was promised. */
  crashed(): void {
    this.#made.clear();
    for (const upload of this.#uploads.values()) this.#checkLeft(upload);
  }

  #checkLeft(upload: KnownUpload): void {
    const row = this.#rows.uploads.get(upload.id);
    if (row === undefined) {
      if (upload.toldCreated) this.fail("an upload is gone");
      return;
    }
    if (row.offset < upload.told) {
      this.fail(`offset ${row.offset} is left where ${upload.told} was told`);
    }
    if (upload.toldCancelled && row.state !== "cancelled") this.fail("a cancelled upload is back");
    if (upload.toldComplete) this.checkComplete(upload, row);
    if (row.state === "open" || row.state === "complete") this.#checkBytes(upload, row);
  }

  checkComplete(upload: KnownUpload, row: Upload): void {
    if (row.state === "expired") return;
    if (row.state !== "complete") this.fail(`a completed upload is ${row.state} afterwards`);
    if (JSON.stringify(row.completion) !== JSON.stringify(upload.completion)) {
      this.fail("a completion is not the one that was committed");
    }
  }

  #checkBytes(upload: KnownUpload, row: Upload): void {
    if (upload.robbed) return;
    const bytes = Buffer.concat(
      this.#rows.extentsOf(row.blobId).map(({ key, length, inline }) => {
        return inline ?? this.#volume?.fileOf(key)?.content(0, length) ?? Buffer.alloc(0);
      }),
    );
    if (bytes.length < row.offset) {
      this.fail(`after a crash ${bytes.length} bytes are left of ${row.offset}`);
    } else if (!bytes.equals(upload.bytes.subarray(0, row.offset))) {
      this.fail("after a crash the bytes are not those that were committed");
    }
  }

  /** Every file that is left has a row or is new: the others were set aside. */
  checkOrphans(): void {
    const orphans = this.#volume?.keys().filter((key) => !this.#made.has(key)) ?? [];
    if (orphans.some((key) => !this.#rows.knows(key))) this.fail("an orphan was left in place");
  }

  #bytesOf(extents: readonly Extent[]): Buffer {
    const runs: Uint8Array[] = [];
    for (const { key, length, inline } of extents) {
      const run = inline ?? this.#stored(key, length);
      runs.push(run);
      if (run.length < length) break;
    }
    return Buffer.concat(runs);
  }

  #stored(key: string, length: number): Buffer {
    const volume = this.#volume;
    if (volume === undefined) return Buffer.alloc(0);
    if (this.#looksAhead) return volume.durable(key, length);
    return volume.fileOf(key)?.content(0, length) ?? Buffer.alloc(0);
  }
}

function sent(attempt: Attempt, from: number, bytes: Buffer): boolean {
  if (attempt.start > from) return false;
  return sentBytes(attempt.number, from, from + bytes.length).equals(bytes);
}
