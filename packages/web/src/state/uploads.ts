import { computed, effect, signal } from "@preact/signals";
import { announce } from "./announcements.ts";
import { forgetComplete } from "./client.ts";
import { opened, question } from "./details.ts";
import type { Choice, Chosen } from "./dropped-files.ts";
import { fileKeyOf, fileKeyOfWork } from "./known-file.ts";
import type { Row, RowView } from "./rows.ts";
import { addRows, dropRows, newRow, rows, viewOf } from "./rows.ts";
import { session } from "./session.ts";
import { bringBack, openAndStart } from "./taking-up.ts";
import { endTransfer, giveUp, startTransfer } from "./transfer.ts";
import type { Work } from "./work.ts";
import { everyWork, forget, takeUp, tell, workOf } from "./work.ts";
import { countInWords } from "../words/amounts.ts";

/** A remark on what was just chosen. */
export const notice = signal("");

/** Brings back what was under way when somebody signs in, and stops it when they sign out. */
export function watchSession(): void {
  // A fresh token of the same app changes nothing.
  const app = computed(() => session.value?.me.app.id);
  effect(() => {
    if (app.value === undefined) putAway();
    else void bringBack(app.value);
  });
}

/** Begins uploads, or goes on with those whose files these are. */
export function addFiles({ chosen, unreadable }: Choice): void {
  const current = session.peek();
  if (current === undefined || chosen.length + unreadable === 0) return;
  const open = listed().filter(({ row }) => viewOf(row).phase !== "cancelled");
  const known = Map.groupBy(open, fileKeyOfWork);
  const fresh: Work[] = [];
  let doubles = 0;
  for (const [index, one] of chosen.entries()) {
    const match = matchOf(one, known.get(fileKeyOf(one.file)) ?? []);
    if (match === undefined) {
      fresh.push(newWork(one, current.me.app.id, index));
    } else if (["file-wanted", "leave-wanted", "failed"].includes(viewOf(match.row).phase)) {
      match.file = one.file;
      match.access = one.handle ?? match.access;
      startTransfer(match);
    } else doubles += 1;
  }
  notice.value = remarkOn({ chosen, unreadable }, doubles);
  addRows(fresh.map(({ row }) => row));
  for (const work of fresh) {
    takeUp(work);
    startTransfer(work);
  }
  if (fresh.length > 0) announce(`${countInWords(fresh.length, "file")} added.`);
}

/** The row whose file this is. Its folders are known of a drop, and not of a file picked alone. */
function matchOf({ path }: Chosen, candidates: readonly Work[]): Work | undefined {
  const isBare = (name: string) => !name.includes("/");
  return (
    candidates.find(({ row }) => row.name === path) ??
    candidates.find(({ row }) => isBare(row.name) || isBare(path))
  );
}

function newWork({ file, path, handle }: Chosen, appId: string, index: number): Work {
  const row = newRow({ name: path, length: file.size, type: file.type });
  const times = { addedAt: Date.now() * 1000 + index, changedAt: file.lastModified };
  return { row, appId, ...times, access: handle, file, uploadId: undefined, task: undefined };
}

export function pause(row: Row): void {
  const work = workOf(row);
  // It may have ended since the button was shown.
  if (work?.task === undefined || !isUnderWay(row)) return;
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
  await openAndStart(work);
}

export async function cancel(row: Row): Promise<void> {
  const work = workOf(row);
  // It may have finished since the button was shown.
  if (work !== undefined && viewOf(row).phase !== "finished") await giveUp(work);
}

/** Takes rows off the list; the server keeps what it has. */
export function removeFromList(unwanted: (view: RowView) => boolean): void {
  remove(listed().filter(({ row }) => unwanted(viewOf(row))));
}

export function removeRow(row: Row): void {
  remove(listed().filter((work) => work.row === row));
}

function remove(gone: readonly Work[]): void {
  const keys = new Set(gone.map(({ row }) => row.key));
  dropRows((row) => keys.has(row.key));
  for (const work of gone) endTransfer(work);
  void forget(gone);
  void forgetComplete(new Set(gone.flatMap(({ uploadId }) => uploadId ?? [])));
}

export function pauseAll(): void {
  for (const row of rows.peek()) pause(row);
}

export async function goOnWithAll(): Promise<void> {
  const phases = ["paused", "failed", "leave-wanted"];
  // One after another: a browser asks for leave one file at a time.
  for (const row of rows.peek()) if (phases.includes(viewOf(row).phase)) await goOn(row);
}

function isUnderWay(row: Row): boolean {
  return ["queued", "checking", "sending", "retrying"].includes(viewOf(row).phase);
}

/** Without those of whoever was signed in before. */
function listed(): Work[] {
  return rows.peek().flatMap((row) => workOf(row) ?? []);
}

function putAway(): void {
  for (const work of everyWork()) endTransfer(work);
  dropRows(() => true);
  opened.value = undefined;
  question.value = undefined;
}

function remarkOn({ chosen, unreadable }: Choice, doubles: number): string {
  const remarks: string[] = [];
  if (unreadable > 0) remarks.push(`${countInWords(unreadable, "file")} could not be read.`);
  if (doubles === 1 && chosen.length === 1) remarks.push("This file is in the list already.");
  else if (doubles > 0) {
    const all = countInWords(chosen.length, "file");
    remarks.push(`In the list already: ${doubles.toLocaleString("en")} of ${all}.`);
  }
  return remarks.join(" ");
}
