/** A file that a person chose, and where it was found. */
export interface Chosen {
  readonly file: File;
  /** With the folders it was in: `holiday/film.mp4`. */
  readonly path: string;
  /** By which the file can be opened again after a reload; not every browser gives one. */
  readonly handle?: FileSystemFileHandle | undefined;
}

/** Files that are the system's own and that nobody means to send. */
const litter = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

/** All files of a drop, those in folders too. Must be called while the event is handled. */
export async function readDrop(data: DataTransfer): Promise<Chosen[]> {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  // Everything is asked for before the first wait: afterwards the browser has emptied the list.
  const readings = items.map((item) => readItem(item));
  return withoutLitter((await Promise.all(readings)).flat());
}

/** What an `<input type="file">` holds. */
export function readInput(list: FileList | null): Chosen[] {
  const files = list === null ? [] : [...list];
  return withoutLitter(files.map((file) => ({ file, path: pathOf(file) })));
}

/** The browser's own dialogue that also lets a file be opened again later; undefined without one. */
export async function pickFiles(): Promise<Chosen[] | undefined> {
  if (!("showOpenFilePicker" in window)) return undefined;
  const picker = window as unknown as OpenPicker; // not in TypeScript's DOM yet
  try {
    const handles = await picker.showOpenFilePicker({ multiple: true });
    return await Promise.all(handles.map((handle) => fromHandle(handle, "")));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return [];
    return undefined;
  }
}

interface OpenPicker {
  showOpenFilePicker(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}

interface HandleGiver {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

async function readItem(item: DataTransferItem): Promise<Chosen[]> {
  const file = item.getAsFile();
  const entry = item.webkitGetAsEntry();
  const giver = item as unknown as HandleGiver; // not in TypeScript's DOM yet
  const handle = await giver.getAsFileSystemHandle?.().catch(() => null);
  if (handle !== null && handle !== undefined) return readHandle(handle, "");
  if (entry !== null) return readEntry(entry);
  return file === null ? [] : [{ file, path: file.name }];
}

async function readHandle(handle: FileSystemHandle, folder: string): Promise<Chosen[]> {
  if (handle instanceof FileSystemFileHandle) return [await fromHandle(handle, folder)];
  if (!(handle instanceof FileSystemDirectoryHandle)) return [];
  const found: Chosen[] = [];
  for await (const child of handle.values()) {
    found.push(...(await readHandle(child, `${folder}${handle.name}/`)));
  }
  return found;
}

async function fromHandle(handle: FileSystemFileHandle, folder: string): Promise<Chosen> {
  return { file: await handle.getFile(), path: `${folder}${handle.name}`, handle };
}

async function readEntry(entry: FileSystemEntry): Promise<Chosen[]> {
  if (isFileEntry(entry)) {
    const file = await new Promise<File>((resolve, reject) => {
      entry.file(resolve, reject);
    });
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  if (!isDirectoryEntry(entry)) return [];
  const found: Chosen[] = [];
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred at a time, and nothing at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return found;
    for (const child of some) found.push(...(await readEntry(child)));
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
