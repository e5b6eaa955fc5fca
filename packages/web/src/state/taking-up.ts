import { rememberedHandle } from "./client.ts";
import { untilLetGo } from "./elsewhere.ts";
import { claimName, everyClaim } from "./file-claims.ts";
import type { KeptRow } from "./kept-rows.ts";
import { keptRow, keptRows } from "./kept-rows.ts";
import { canOpen, fileKeyOfWork, openAgain } from "./known-file.ts";
import type { RowView } from "./rows.ts";
import { addRows, isListed, newRow } from "./rows.ts";
import { session } from "./session.ts";
import { fail, startTransfer } from "./transfer.ts";
import type { Work } from "./work.ts";
import { takeUp, tell, workOf } from "./work.ts";
import { fileChanged } from "../words/trouble.ts";

/** Lists what this browser remembers of an app, and goes on with it where it can. */
export async function bringBack(appId: string): Promise<void> {
  const kept = (await keptRows(appId)).filter(({ phase }) => phase !== "cancelled");
  // Whoever that was may have signed out meanwhile.
  if (session.peek()?.me.app.id !== appId) return;
  const works = kept.map(toWork);
  for (const work of works) takeUp(work);
  addRows(works.map(({ row }) => row));
  const claims = await everyClaim();
  for (const [index, work] of works.entries()) {
    const phase = kept[index]?.phase;
    if (phase === "finished" || phase === "failed") continue;
    if (claims.has(claimOf(work))) void takeUpLater(work);
    else await takeUpAgain(work, phase === "paused");
  }
}

/** Another tab has it: what became of it there is seen when that tab lets go. */
async function takeUpLater(work: Work): Promise<void> {
  tell(work, { phase: "elsewhere" });
  if (!(await untilLetGo(work, [work.row.key]))) return;
  const kept = await keptRow(work.row.key);
  const uploadId = kept?.uploadId ?? work.uploadId;
  const handle = uploadId === undefined ? undefined : await rememberedHandle(uploadId);
  if (!isListed(work.row)) return;
  work.uploadId = uploadId;
  const { length } = work.row;
  const all = { sent: length, confirmed: length };
  if (handle === undefined) await takeUpAgain(work, kept?.phase === "paused");
  else tell(work, { phase: "finished", handle, fileId: kept?.fileId, ...all });
}

async function takeUpAgain(work: Work, paused: boolean): Promise<void> {
  if (work.file === undefined && work.access === undefined) {
    tell(work, { phase: "file-wanted" });
  } else if (work.file === undefined && !(await canOpen(work))) {
    tell(work, { phase: "leave-wanted" });
  } else if (paused) tell(work, { phase: "paused" });
  else await openAndStart(work);
}

/** Says what it wants of the person where the file cannot be opened. */
export async function openAndStart(work: Work): Promise<void> {
  const opening = work.file === undefined ? await openAgain(work) : "open";
  if (opening === "open") startTransfer(work);
  else if (opening === "changed") fail(work, fileChanged);
  else tell(work, { phase: opening === "refused" ? "leave-wanted" : "file-wanted" });
}

function claimOf(work: Work): string {
  return claimName(work.appId, fileKeyOfWork(work));
}

function toWork(kept: KeptRow): Work {
  const { name, length, type, key, phase, confirmed, handle, fileId, trouble } = kept;
  const shown: RowView = { phase, sent: confirmed, confirmed, handle, fileId, trouble };
  const row = newRow({ name, length, type, key }, shown);
  const { appId, addedAt, changedAt, access, uploadId } = kept;
  const file = workOf(row)?.file;
  return { row, appId, addedAt, changedAt, access, file, uploadId, task: undefined };
}
