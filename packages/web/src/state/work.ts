import type { UploadTask } from "hawser-client";
import { signal } from "@preact/signals";
import type { KeptRow } from "./kept-rows.ts";
import { forgetRows, keepRows } from "./kept-rows.ts";
import type { Row, RowView } from "./rows.ts";
import { change, viewOf } from "./rows.ts";

/** What a row needs to be worked on; the row itself is only what is seen of it. */
export interface Work {
  readonly row: Row;
  readonly appId: string;
  readonly addedAt: number;
  readonly changedAt: number;
  access: FileSystemFileHandle | undefined;
  file: File | undefined;
  uploadId: string | undefined;
  task: UploadTask | undefined;
}

const works = new Map<string, Work>();

/** False once the browser refused to remember: then a reload loses the list. */
export const keeps = signal(true);

/** Of a row that does not move. */
export const standingStill = { rate: undefined, secondsLeft: undefined, trouble: undefined };

/** Progress is remembered seldom: the server knows it better anyway. */
const keepEveryMs = 2000;
/** A new phase is remembered soon, with others that come together with it. */
const keepSoonMs = 50;
const dirty = new Set<Work>();
let timer: ReturnType<typeof setTimeout> | undefined;
let soon = false;

addEventListener("pagehide", () => void keepNow());

export function takeUp(work: Work): void {
  works.set(work.row.key, work);
}

export function workOf(row: Row): Work | undefined {
  return works.get(row.key);
}

export function everyWork(): Work[] {
  return [...works.values()];
}

/** Shows the news, and remembers them; a new phase at once. */
export function tell(work: Work, news: Partial<RowView>): void {
  const before = viewOf(work.row).phase;
  change(work.row, news);
  dirty.add(work);
  const urgent = news.phase !== undefined && news.phase !== before;
  if (timer !== undefined && (soon || !urgent)) return;
  clearTimeout(timer);
  soon = urgent;
  timer = setTimeout(() => void keepNow(), urgent ? keepSoonMs : keepEveryMs);
}

export async function forget(unwanted: readonly Work[]): Promise<void> {
  for (const work of unwanted) {
    works.delete(work.row.key);
    dirty.delete(work);
  }
  await forgetRows(unwanted.map(({ row }) => row.key));
}

/** Remembers all news. Resolves when other tabs find them. */
export async function keepNow(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  // What another tab sends is for that tab to remember.
  const own = [...dirty].filter(({ row }) => viewOf(row).phase !== "elsewhere");
  dirty.clear();
  if (own.length > 0) keeps.value = await keepRows(own.map(toKept));
}

function toKept(work: Work): KeptRow {
  const { row, appId, addedAt, changedAt, uploadId, access } = work;
  const { phase, confirmed, handle, fileId, trouble } = viewOf(row);
  const { key, name, length, type } = row;
  return {
    ...{ key, appId, name, length, type, changedAt, addedAt },
    ...{ phase, confirmed, uploadId, handle, fileId, trouble, access },
  };
}
