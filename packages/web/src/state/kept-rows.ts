import type { DBSchema, IDBPDatabase } from "idb";
import { openDB } from "idb";
import type { Trouble } from "../words/trouble.ts";
import type { Phase } from "./rows.ts";

/** What this browser remembers of a row, so that a reload finds it again. */
export interface KeptRow {
  readonly key: string;
  readonly appId: string;
  readonly name: string;
  readonly length: number;
  readonly type: string;
  /** The file's time of change, by which it is known again; milliseconds since 1970. */
  readonly changedAt: number;
  /** Orders the list. */
  readonly addedAt: number;
  readonly phase: Phase;
  readonly confirmed: number;
  /** The upload's id, once the server gave one. */
  readonly uploadId?: string | undefined;
  readonly handle?: string | undefined;
  readonly fileId?: string | undefined;
  /** Why it failed. */
  readonly trouble?: Trouble | undefined;
  /** By which the browser opens the file again. */
  readonly access?: FileSystemFileHandle | undefined;
}

interface Tables extends DBSchema {
  rows: { key: string; value: KeptRow };
}

/** Between the tabs of a browser: that one has kept something. */
const news = new BroadcastChannel("hawser rows");

let opened: Promise<IDBPDatabase<Tables>> | undefined;

/** Oldest first; none when the browser keeps nothing. */
export async function keptRows(appId: string): Promise<KeptRow[]> {
  try {
    const all = await (await database()).getAll("rows");
    return all.filter((row) => row.appId === appId).sort((a, b) => a.addedAt - b.addedAt);
  } catch {
    return [];
  }
}

/** As it is by now: every tab writes its own rows, and some are in two. */
export async function keptRow(key: string): Promise<KeptRow | undefined> {
  try {
    return await (await database()).get("rows", key);
  } catch {
    return undefined;
  }
}

/** All in one transaction. Answers whether the browser kept them. */
export async function keepRows(kept: readonly KeptRow[]): Promise<boolean> {
  try {
    const change = (await database()).transaction("rows", "readwrite");
    const puts = kept.map((row) => change.store.put(row));
    // Not left to the browser, which has no time for it when the page is being left.
    change.commit();
    await Promise.all([...puts, change.done]);
    news.postMessage("kept");
    return true;
  } catch {
    return false;
  }
}

/** Calls back whenever another tab has kept rows. Answers what ends it. */
export function onKept(listener: () => void): () => void {
  news.addEventListener("message", listener);
  return () => {
    news.removeEventListener("message", listener);
  };
}

export async function forgetRows(keys: readonly string[]): Promise<void> {
  try {
    const change = (await database()).transaction("rows", "readwrite");
    await Promise.all([...keys.map((key) => change.store.delete(key)), change.done]);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

function database(): Promise<IDBPDatabase<Tables>> {
  opened ??= openDB<Tables>("hawser-page", 1, {
    upgrade: (database) => {
      database.createObjectStore("rows", { keyPath: "key" });
    },
  });
  return opened;
}
