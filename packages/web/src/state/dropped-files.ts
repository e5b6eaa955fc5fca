/** A file that a person chose, and where it was found. */
export interface Chosen {
  readonly file: File;
  /** With the folders it was in: `holiday/film.mp4`. */
  readonly path: string;
  /** By which the file can be opened again after a reload; not every browser gives one. */
  readonly handle?: FileSystemFileHandle | undefined;
}

/** What a person chose, as far as it can be read. */
export interface Choice {
  readonly chosen: readonly Chosen[];
  /** How many files and folders cannot be read: they were moved, or are somebody else's. */
  readonly unreadable: number;
}

/** Files that are the system's own and that nobody means to send. */
const litter = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

/** All files of a drop, those in folders too. Must be called while the event is handled. */
export async function readDrop(data: DataTransfer): Promise<Choice> {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  // Everything is asked for before the first wait: afterwards the browser has emptied the list.
  return gather(items.map((item) => attempt(readItem(item))));
}

/** What an `<input type="file">` holds. */
export function readInput(list: FileList | null): Choice {
  const files = list === null ? [] : [...list];
  return only(files.map((file) => ({ file, path: pathOf(file) })));
}

/** The browser's own dialogue that also lets a file be opened again later; undefined without one. */
export async function pickFiles(): Promise<Choice | undefined> {
  if (!("showOpenFilePicker" in window)) return undefined;
  const picker = window as unknown as OpenPicker; // not in TypeScript's DOM yet
  try {
    const handles = await picker.showOpenFilePicker({ multiple: true });
    return await gather(handles.map((handle) => attempt(readHandle(handle, ""))));
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) return undefined;
    return only([]);
  }
}

/** One that cannot be read costs the others nothing. */
async function attempt(reading: Promise<Choice>): Promise<Choice> {
  return reading.catch(() => ({ chosen: [], unreadable: 1 }));
}

async function gather(attempts: readonly Promise<Choice>[]): Promise<Choice> {
  const choices = await Promise.all(attempts);
  return {
    chosen: choices.flatMap(({ chosen }) => chosen),
    unreadable: choices.reduce((sum, { unreadable }) => sum + unreadable, 0),
  };
}

interface OpenPicker {
  showOpenFilePicker(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}

interface HandleGiver {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

async function readItem(item: DataTransferItem): Promise<Choice> {
  const file = item.getAsFile();
  const entry = item.webkitGetAsEntry();
  const giver = item as unknown as HandleGiver; // not in TypeScript's DOM yet
  const handle = await giver.getAsFileSystemHandle?.().catch(() => null);
  if (handle !== null && handle !== undefined) return readHandle(handle, "");
  if (entry !== null) return readEntry(entry);
  return only(file === null ? [] : [{ file, path: file.name }]);
}

function only(chosen: readonly Chosen[]): Choice {
  return { chosen: withoutLitter(chosen), unreadable: 0 };
}

async function readHandle(handle: FileSystemHandle, folder: string): Promise<Choice> {
  if (handle instanceof FileSystemFileHandle) {
    return only([{ file: await handle.getFile(), path: `${folder}${handle.name}`, handle }]);
  }
  if (!(handle instanceof FileSystemDirectoryHandle)) return only([]);
  const children: Promise<Choice>[] = [];
  for await (const child of handle.values()) {
    children.push(attempt(readHandle(child, `${folder}${handle.name}/`)));
  }
  return gather(children);
}

async function readEntry(entry: FileSystemEntry): Promise<Choice> {
  if (isFileEntry(entry)) {
    const file = await new Promise<File>((resolve, reject) => {
      entry.file(resolve, reject);
    });
    return only([{ file, path: entry.fullPath.replace(/^\//, "") }]);
  }
  if (!isDirectoryEntry(entry)) return only([]);
  const children: Promise<Choice>[] = [];
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred at a time, and nothing at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return gather(children);
    children.push(...some.map((child) => attempt(readEntry(child))));
  }
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectoryEntry(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function pathOf(file: File): string {
  return file.webkitRelativePath === "" ? file.name : file.webkitRelativePath;
}

function withoutLitter(chosen: readonly Chosen[]): Chosen[] {
  return chosen.filter(({ file }) => !litter.has(file.name));
}
