import type { Signal } from "@preact/signals";
import { batch, signal } from "@preact/signals";
import type { Trouble } from "../words/trouble.ts";

/** Where a row stands, in the page's own words. */
export type Phase =
  /** Waits for its turn. */
  | "queued"
  /** Reading the file, and comparing it with what the server has. */
  | "checking"
  | "sending"
  /** Something failed and is tried again by itself. */
  | "retrying"
  | "paused"
  | "finished"
  | "failed"
  | "cancelled"
  /** The same file is being sent already, by another tab as a rule: this waits for it. */
  | "elsewhere"
  /** After a reload: the browser wants a click before it opens the file again. */
  | "leave-wanted"
  /** After a reload: the file has to be picked again. */
  | "file-wanted";

export interface RowView {
  readonly phase: Phase;
  /** Bytes given to the network; never below `confirmed`. */
  readonly sent: number;
  /** Bytes durable on the server. */
  readonly confirmed: number;
  /** Bytes a second, once known. */
  readonly rate?: number | undefined;
  readonly secondsLeft?: number | undefined;
  readonly trouble?: Trouble | undefined;
  /** What there is to know of an upload that goes on all the same. */
  readonly remark?: string | undefined;
  /** The proof of the complete upload. */
  readonly handle?: string | undefined;
  /** The published file's id. */
  readonly fileId?: string | undefined;
}

/** One upload as the page lists it. */
export interface Row {
  readonly key: string;
  /** With the folders it was dropped in: `holiday/film.mp4`. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  readonly type: string;
  readonly view: Signal<RowView>;
}

const begun: RowView = { phase: "queued", sent: 0, confirmed: 0 };

export function newRow(
  about: Omit<Row, "view" | "key"> & { readonly key?: string },
  view: RowView = begun,
): Row {
  return { key: newKey(), ...about, view: signal(view) };
}

/** `randomUUID` is missing where a page came without TLS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
}

/** All together; what was cancelled counts for nothing. */
export interface Totals {
  readonly rows: number;
  readonly finished: number;
  readonly failed: number;
  readonly paused: number;
  /** Queued or under way. */
  readonly active: number;
  /** Wait for a person's click. */
  readonly leaveWanted: number;
  /** Wait for a person to pick their file again. */
  readonly fileWanted: number;
  readonly length: number;
  readonly sent: number;
  readonly confirmed: number;
  readonly rate: number;
  readonly secondsLeft: number | undefined;
}

const nothing: Totals = {
  ...{ rows: 0, finished: 0, failed: 0, paused: 0, active: 0 },
  ...{ leaveWanted: 0, fileWanted: 0 },
  ...{ length: 0, sent: 0, confirmed: 0, rate: 0, secondsLeft: undefined },
};

export const rows = signal<readonly Row[]>([]);
export const totals = signal<Totals>(nothing);

/** Which rows the list shows. */
export type Filter = "all" | "active" | "finished" | "failed";

const filtered: Readonly<Record<Exclude<Filter, "all">, readonly Phase[]>> = {
  active: [
    ...(["queued", "checking", "sending", "retrying", "elsewhere"] as const),
    ...(["paused", "leave-wanted", "file-wanted"] as const),
  ],
  finished: ["finished"],
  failed: ["failed"],
};

export const filter = signal<Filter>("all");
export const shownRows = signal<readonly Row[]>([]);

export function setFilter(wanted: Filter): void {
  filter.value = wanted;
  show();
}

/** Often enough to look alive, seldom enough for thousands of rows. */
const showEveryMs = 200;
const waiting = new Map<Row, RowView>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** What a row stands at, shown or not yet. */
export function viewOf(row: Row): RowView {
  return waiting.get(row) ?? row.view.peek();
}

/** Changes a row. Progress is shown with the next round, a new phase with it at once. */
export function change(row: Row, news: Partial<RowView>): void {
  const before = viewOf(row);
  waiting.set(row, { ...before, ...news });
  timer ??= setTimeout(show, showEveryMs);
}

export function addRows(added: readonly Row[]): void {
  rows.value = [...rows.peek(), ...added];
  timer ??= setTimeout(show, 0);
}

/** False once it was taken off the list, or the list put away. */
export function isListed(row: Row): boolean {
  return rows.peek().includes(row);
}

export function dropRows(unwanted: (row: Row) => boolean): void {
  rows.value = rows.peek().filter((row) => !unwanted(row));
  timer ??= setTimeout(show, 0);
}

function show(): void {
  timer = undefined;
  batch(() => {
    for (const [row, view] of waiting) row.view.value = view;
    waiting.clear();
    totals.value = total(rows.peek());
    shownRows.value = chosenRows();
  });
}

function chosenRows(): readonly Row[] {
  const all = rows.peek();
  const wanted = filter.peek();
  if (wanted === "all") return all;
  const chosen = all.filter((row) => filtered[wanted].includes(row.view.peek().phase));
  const before = shownRows.peek();
  const same = chosen.length === before.length && chosen.every((row, at) => row === before[at]);
  return same ? before : chosen;
}

function total(all: readonly Row[]): Totals {
  const sum = { ...nothing };
  const counted: Record<Phase, keyof typeof sum | undefined> = {
    ...{ queued: "active", checking: "active", sending: "active", retrying: "active" },
    ...{ elsewhere: "active" },
    ...{ paused: "paused", finished: "finished", failed: "failed", cancelled: undefined },
    ...{ "leave-wanted": "leaveWanted", "file-wanted": "fileWanted" },
  };
  const result = { ...sum } as { -readonly [Key in keyof Totals]: Totals[Key] };
  for (const row of all) {
    const view = row.view.peek();
    const place = counted[view.phase];
    if (place === undefined) continue;
    result.rows += 1;
    result[place] = (result[place] ?? 0) + 1;
    result.length += row.length;
    result.sent += view.sent;
    result.confirmed += view.confirmed;
    if (view.phase === "sending") result.rate += view.rate ?? 0;
  }
  const left = result.length - result.sent;
  result.secondsLeft = result.rate > 0 && left > 0 ? left / result.rate : undefined;
  return result;
}
