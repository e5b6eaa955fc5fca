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
  readonly addedAt: number;
  readonly phase: Phase;
  readonly confirmed: number;
  /** The upload's id, once the server gave one. */
  readonly uploadId?: string | undefined;
  readonly handle?: string | undefined;
  readonly fileId?: string | undefined;
  /** By which the browser opens the file again. */
  readonly access?: FileSystemFileHandle | undefined;
}

const storeName = "rows";
let opened: Promise<IDBDatabase> | undefined;

/** Oldest first; none when the browser keeps nothing. */
export async function keptRows(appId: string): Promise<KeptRow[]> {
  try {
    const store = (await database()).transaction(storeName).objectStore(storeName);
    const all = await settled<KeptRow[]>(store.getAll());
    return all.filter((row) => row.appId === appId).sort((a, b) => a.addedAt - b.addedAt);
  } catch {
    return [];
  }
}

/** All in one transaction. Answers whether the browser kept them. */
export async function keepRows(kept: readonly KeptRow[]): Promise<boolean> {
  return write((store) => {
    for (const row of kept) store.put(row);
  });
}

export async function forgetRows(keys: readonly string[]): Promise<boolean> {
  return write((store) => {
    for (const key of keys) store.delete(key);
  });
}

async function write(change: (store: IDBObjectStore) => void): Promise<boolean> {
  try {
    const transaction = (await database()).transaction(storeName, "readwrite");
    change(transaction.objectStore(storeName));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new Error("aborted"));
      };
    });
    return true;
  } catch {
    return false;
  }
}

function database(): Promise<IDBDatabase> {
  opened ??= open();
  return opened;
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("hawser-page", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(storeName, { keyPath: "key" });
  };
  return settled(request);
}

function settled<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("the browser keeps nothing"));
    };
  });
}
