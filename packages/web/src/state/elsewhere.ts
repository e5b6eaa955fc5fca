import type { Trouble } from "../words/trouble.ts";
import { claimName, untilUnclaimed } from "./file-claims.ts";
import type { KeptRow } from "./kept-rows.ts";
import { keptRow, keptRows, onKept } from "./kept-rows.ts";
import { fileKeyOf, fileKeyOfWork } from "./known-file.ts";
import { dropRows, isListed, viewOf } from "./rows.ts";
import type { Work } from "./work.ts";
import { everyWork, forget, standingStill, tell } from "./work.ts";

const pausedThere: Trouble = {
  happened: "Paused in another tab.",
  next: "Go on there, or close that tab.",
};

/** The keys of what other tabs keep of the same file that is not over: their rows, else this one. */
export async function rowsElsewhere(work: Work): Promise<string[]> {
  const own = new Set(everyWork().map(({ row }) => row.key));
  const isOfFile = ({ phase, name, length, changedAt }: KeptRow) =>
    !["finished", "failed", "cancelled"].includes(phase) &&
    fileKeyOf({ name, size: length, lastModified: changedAt }) === fileKeyOfWork(work);
  const keys = (await keptRows(work.appId)).filter(isOfFile).map(({ key }) => key);
  const others = keys.filter((key) => !own.has(key));
  return others.length > 0 ? others : keys.filter((key) => key === work.row.key);
}

/**
 * Shows that another tab has the file, until that lets go. Answers whether this one is to go on:
 * what was given up or taken off the list there is so here.
 */
export async function untilLetGo(work: Work, others: readonly string[]): Promise<boolean> {
  const look = async () => {
    const isPaused = (await kept(others)).some((row) => row?.phase === "paused");
    if (viewOf(work.row).phase !== "elsewhere") return;
    tell(work, { trouble: isPaused ? pausedThere : undefined });
  };
  const stop = onKept(() => void look());
  void look();
  await untilUnclaimed(claimName(work.appId, fileKeyOfWork(work)));
  stop();
  const found = await kept(others);
  if (!isListed(work.row)) return false;
  if (found.includes(undefined)) {
    dropRows((row) => row === work.row);
    await forget([work]);
    return false;
  }
  if (!found.some((row) => row?.phase === "cancelled")) return true;
  work.task = undefined;
  work.uploadId = undefined;
  tell(work, { ...standingStill, phase: "cancelled", sent: 0, confirmed: 0 });
  return false;
}

function kept(keys: readonly string[]): Promise<(KeptRow | undefined)[]> {
  return Promise.all(keys.map(keptRow));
}
