import { effect, signal } from "@preact/signals";
import { announce } from "./announcements.ts";
import { endTransfer, giveUp, startTransfer } from "./transfer.ts";
import type { Chosen } from "./dropped-files.ts";
import type { KeptRow } from "./kept-rows.ts";
import { keptRows } from "./kept-rows.ts";
import { baseName, canOpen, matchKey, openAgain } from "./known-file.ts";
import type { Row, RowView } from "./rows.ts";
import { addRows, dropRows, newRow, rows, viewOf } from "./rows.ts";
import { session } from "./session.ts";
import type { Work } from "./work.ts";
import { everyWork, forget, takeUp, tell, workOf } from "./work.ts";
import { countInWords } from "../words/amounts.ts";

/** A remark on what was just chosen. */
export const notice = signal("");

/** Brings back what was under way when somebody signs in, and stops it when they sign out. */
export function watchSession(): void {
  effect(() => {
    const current = session.value;
    if (current === undefined) putAway();
    else void bringBack(current.me.app.id);
  });
}

/** Begins uploads, or goes on with those whose files these are. */
export function addFiles(chosen: readonly Chosen[]): void {
  const current = session.peek();
  if (current === undefined || chosen.length === 0) return;
  const known = new Map(everyWork().map((work) => [matchKey(baseName(work.row.name), work), work]));
  const fresh: Work[] = [];
  let doubles = 0;
  for (const { file, path, handle } of chosen) {
    const match = known.get(matchKey(file.name, asKnown(file)));
    const phase = match === undefined ? undefined : viewOf(match.row).phase;
    if (match === undefined || phase === "cancelled") {
      const row = newRow({ name: path, length: file.size, type: file.type });
      const appId = current.me.app.id;
      const times = { addedAt: Date.now() * 1000 + fresh.length, changedAt: file.lastModified };
      fresh.push({
        row,
        appId,
        ...times,
        access: handle,
        file,
        uploadId: undefined,
        task: undefined,
      });
    } else if (phase === "file-wanted" || phase === "leave-wanted" || phase === "failed") {
      match.file = file;
      match.access = handle ?? match.access;
      startTransfer(match);
    } else doubles += 1;
  }
  notice.value = doubles === 0 ? "" : doublesInWords(doubles, chosen.length);
  addRows(fresh.map(({ row }) => row));
  for (const work of fresh) {
    takeUp(work);
    startTransfer(work);
  }
  if (fresh.length > 0) announce(`${countInWords(fresh.length, "file")} added.`);
}

export function pause(row: Row): void {
  const work = workOf(row);
  if (work?.task === undefined) return;
  work.task.pause();
  tell(work, { phase: "paused" });
}

/** Goes on with what is paused, failed, cancelled, or waits for leave to open its file. */
export async function goOn(row: Row): Promise<void> {
  const work = workOf(row);
  if (work === undefined) return;
  if (viewOf(row).phase === "paused" && work.task !== undefined) {
    tell(work, { phase: "queued" });
    work.task.resume();
    return;
  }
  const opening = work.file === undefined ? await openAgain(work) : "open";
  if (opening !== "open") {
    tell(work, { phase: opening === "refused" ? "leave-wanted" : "file-wanted" });
    return;
  }
  startTransfer(work);
}

export async function cancel(row: Row): Promise<void> {
  const work = workOf(row);
  if (work !== undefined) await giveUp(work);
}

/** Takes rows off the list; the server keeps what it has. */
export function removeFromList(unwanted: (view: RowView) => boolean): void {
  const gone = everyWork().filter(({ row }) => unwanted(viewOf(row)));
  const keys = new Set(gone.map(({ row }) => row.key));
  dropRows((row) => keys.has(row.key));
  void forget(gone);
}

export function removeRow(row: Row): void {
  const work = workOf(row);
  dropRows((other) => other === row);
  if (work !== undefined) void forget([work]);
}

export function pauseAll(): void {
  const phases = ["queued", "checking", "sending", "retrying"];
  for (const row of rows.peek()) if (phases.includes(viewOf(row).phase)) pause(row);
}

export async function goOnWithAll(): Promise<void> {
  const phases = ["paused", "failed", "leave-wanted"];
  // One after another: a browser asks for leave one file at a time.
  for (const row of rows.peek()) if (phases.includes(viewOf(row).phase)) await goOn(row);
}

function putAway(): void {
  for (const work of everyWork()) endTransfer(work);
  dropRows(() => true);
}

async function bringBack(appId: string): Promise<void> {
  const kept = (await keptRows(appId)).filter(({ phase }) => phase !== "cancelled");
  const works = kept.map(toWork);
  for (const work of works) takeUp(work);
  addRows(works.map(({ row }) => row));
  for (const [index, work] of works.entries()) {
    const phase = kept[index]?.phase;
    if (phase !== "finished" && phase !== "failed") await takeUpAgain(work, phase === "paused");
  }
}

async function takeUpAgain(work: Work, paused: boolean): Promise<void> {
  if (work.file === undefined && work.access === undefined) {
    tell(work, { phase: "file-wanted" });
  } else if (work.file === undefined && !(await canOpen(work))) {
    tell(work, { phase: "leave-wanted" });
  } else if (paused) tell(work, { phase: "paused" });
  else await goOn(work.row);
}

function toWork(kept: KeptRow): Work {
  const { name, length, type, key, phase, confirmed, handle, fileId, trouble } = kept;
  const shown: RowView = { phase, sent: confirmed, confirmed, handle, fileId, trouble };
  const row = newRow({ name, length, type, key }, shown);
  const { appId, addedAt, changedAt, access, uploadId } = kept;
  const file = workOf(row)?.file;
  return { row, appId, addedAt, changedAt, access, file, uploadId, task: undefined };
}

function asKnown(file: File) {
  return { row: { length: file.size }, changedAt: file.lastModified };
}

function doublesInWords(doubles: number, all: number): string {
  if (all === 1) return "This file is in the list already.";
  return `In the list already: ${doubles.toLocaleString("en")} of ${countInWords(all, "file")}.`;
}
