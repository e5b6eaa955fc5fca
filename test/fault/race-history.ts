import { crc32 } from "node:zlib";

/** One append as its writer saw it. Times are places in one order of all that happened. */
export interface AppendEvent {
  readonly from: number;
  /** What was announced; fewer were sent when the writer stopped in the middle. */
  readonly bytes: Buffer;
  readonly sentWhole: boolean;
  readonly invokedAt: number;
  readonly answeredAt: number;
  /** Undefined when no whole answer came. */
  readonly status: number | undefined;
}

/** An offset that somebody was told: by a status request, or by an append's answer. */
export interface ReadEvent {
  readonly offset: number;
  readonly crc32: string | undefined;
  readonly invokedAt: number;
  readonly answeredAt: number;
}

/** Everything that happened to one upload, and what it holds in the end. */
export interface RaceHistory {
  readonly appends: readonly AppendEvent[];
  readonly reads: readonly ReadEvent[];
  readonly content: Buffer;
}

const end = (append: AppendEvent) => append.from + append.bytes.length;
const taken = (append: AppendEvent) => append.status === 200;

/** The first promise that the history breaks, as a sentence; undefined when it keeps all. */
export function brokenPromise(history: RaceHistory): string | undefined {
  return (
    brokenAppend(history) ??
    doubleAcknowledgement(history) ??
    brokenRead(history) ??
    brokenChain(history)
  );
}

function brokenAppend({ appends, content }: RaceHistory): string | undefined {
  for (const append of appends.filter(taken)) {
    const range = `[${append.from}, ${end(append)})`;
    if (!append.sentWhole) return `an append of ${range} that was never sent whole was taken`;
    if (!content.subarray(append.from, end(append)).equals(append.bytes)) {
      return `the acknowledged bytes of ${range} are not the ones stored`;
    }
  }
  return undefined;
}

function doubleAcknowledgement({ appends }: RaceHistory): string | undefined {
  const inOrder = appends.filter(taken).toSorted((a, b) => a.from - b.from);
  for (const [index, append] of inOrder.entries()) {
    const next = inOrder[index + 1];
    if (next !== undefined && next.from < end(append)) {
      return `byte ${next.from} was acknowledged twice`;
    }
  }
  return undefined;
}

/** Offsets lie between what was surely committed before and what can have been by then. */
function brokenRead({ appends, reads, content }: RaceHistory): string | undefined {
  for (const read of reads) {
    const before = [
      ...appends.filter((each) => taken(each) && each.answeredAt < read.invokedAt).map(end),
      ...reads.filter((each) => each.answeredAt < read.invokedAt).map(({ offset }) => offset),
    ];
    const least = Math.max(0, ...before);
    const most = Math.max(
      0,
      ...appends.filter((each) => each.invokedAt < read.answeredAt).map(end),
    );
    if (read.offset < least) return `the offset went down from ${least} to ${read.offset}`;
    if (read.offset > most) return `the offset was ${read.offset} when only ${most} were sent`;
    const expected = crc32(content.subarray(0, read.offset)).toString(16).padStart(8, "0");
    if (read.crc32 !== undefined && read.crc32 !== expected) {
      return `the checksum at ${read.offset} is not that of the bytes`;
    }
  }
  return undefined;
}

/**
 * The content must be a chain: from 0, each link a whole append that was taken or the beginning of
 * one that was cut, each starting where the one before ended. A byte of two writers breaks it.
 */
function brokenChain({ appends, content }: RaceHistory): string | undefined {
  const starts = [...new Set(appends.map(({ from }) => from)), content.length];
  const reached = new Set([0]);
  for (const position of starts.toSorted((a, b) => a - b)) {
    if (!reached.has(position)) continue;
    // A refused offset never wrote anything.
    for (const append of appends.filter((each) => each.from === position && each.status !== 412)) {
      const to = position + agreeing(append, content);
      if (taken(append)) reached.add(end(append));
      else for (const next of starts) if (next > position && next <= to) reached.add(next);
    }
  }
  if (reached.has(content.length)) return undefined;
  return `no chain of appends leads beyond byte ${Math.max(...reached)} of the content`;
}

/** How many bytes of the content from its start on are this append's. */
function agreeing({ from, bytes }: AppendEvent, content: Buffer): number {
  const stored = content.subarray(from, from + bytes.length);
  if (stored.equals(bytes)) return bytes.length;
  return stored.findIndex((byte, index) => byte !== bytes[index]);
}
