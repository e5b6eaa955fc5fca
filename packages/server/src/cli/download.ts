import type { FileHandle } from "node:fs/promises";
import { link, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import type { GraphClient, PublishedFile } from "hawser-client";
import { crc32 } from "../base/crc32.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { persist, type Persistence } from "./persist.ts";

export interface Download extends Persistence {
  readonly client: GraphClient;
  readonly file: PublishedFile;
  readonly place: string;
  readonly overwrite: boolean;
}

export interface Downloaded {
  readonly bytes: number;
  readonly resumedFrom: number;
  /** The checksum that was right; undefined when the server gave none. */
  readonly crc32: string | undefined;
}

export interface Wish {
  /** A file or a directory; the present directory when left out. */
  readonly wanted?: string | undefined;
  readonly overwrite?: boolean;
  readonly platform?: NodeJS.Platform;
}

/** Where the file goes; refuses a place that is taken. */
export async function choosePlace(
  file: PublishedFile,
  { wanted, overwrite = false, platform = process.platform }: Wish,
): Promise<string> {
  const name = ownName(file, platform);
  const there = await stat(wanted ?? ".").catch(() => undefined);
  const place = there?.isDirectory() === true ? join(wanted ?? "", name) : (wanted ?? name);
  if (!overwrite && (await exists(place))) throw taken(place);
  return place;
}

/** The name comes from the server: it must not be able to lead anywhere but to a file right here. */
function ownName({ id, name = "" }: PublishedFile, platform: NodeJS.Platform): string {
  const last = posix.basename(name.replaceAll("\\", "/"));
  const possible = platform === "win32" ? nameOnWindows(last) : last;
  return ["", ".", ".."].includes(possible) ? id : possible;
}

/** Devices that Windows finds in every directory, whatever follows a dot. */
const windowsDevice = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)/i;

/** With a colon it would be a drive's or a stream's; dots and spaces at its end go unsaid there. */
function nameOnWindows(name: string): string {
  const written = name.replaceAll(/[<>:"|?*\p{Cc}]/gu, "_").replace(/[. ]+$/, "");
  return windowsDevice.test(written) ? "" : written;
}

/** Fetches to a temporary name, checks, renames. Cuts are gone on with. */
export async function download(request: Download): Promise<Downloaded> {
  const partial = join(
    dirname(request.place),
    `.${basename(request.place)}.${request.file.id}.partial`,
  );
  const handle = await open(partial, "a+");
  try {
    const part = new Partial(handle, `${partial}.etag`);
    const resumedFrom = await part.begin();
    await fetchAll(request, part);
    await part.check(request.file);
    await handle.sync();
    await moveTo(partial, request.place, request.overwrite);
    await rm(`${partial}.etag`, { force: true });
    const { length: bytes, resumed } = part;
    return { bytes, resumedFrom: resumed ? resumedFrom : 0, crc32: request.file.crc32 };
  } catch (error) {
    // Wrong bytes must not be gone on with.
    if (error instanceof WrongContent) await Promise.all([rm(partial), rm(`${partial}.etag`)]);
    throw error;
  } finally {
    await handle.close();
  }
}

async function fetchAll(request: Download, part: Partial): Promise<void> {
  const { client, file, signal } = request;
  let before = 0;
  const attempt = async (): Promise<void> => {
    before = part.length;
    if (before > 0 && before === file.size) return;
    const answer = await client.download(file.id, { from: before, ifRange: part.etag, signal });
    await part.take(answer.status, answer.headers.etag, answer.body);
  };
  await persist({ ...request, attempt, hasProgressed: () => part.length > before });
}

/** A file that is not all there yet, with its checksum so far. */
class Partial {
  readonly #handle: FileHandle;
  readonly #etagPath: string;
  #length = 0;
  #crc = 0;
  #etag: string | undefined;
  #resumed = false;

  constructor(handle: FileHandle, etagPath: string) {
    this.#handle = handle;
    this.#etagPath = etagPath;
  }

  get length(): number {
    return this.#length;
  }

  /** What identifies the content that the bytes so far are of. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** Whether bytes of an earlier run were gone on with. */
  get resumed(): boolean {
    return this.#resumed;
  }

  /** Reads what an earlier run left; bytes that cannot be told to be of this file are dropped. */
  async begin(): Promise<number> {
    this.#etag = await readFile(this.#etagPath, "utf8").catch(() => undefined);
    if (this.#etag === undefined) {
      await this.#clear();
      return 0;
    }
    const chunk = Buffer.allocUnsafeSlow(1024 * 1024);
    for (;;) {
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, this.#length);
      if (bytesRead === 0) break;
      this.#crc = crc32(chunk.subarray(0, bytesRead), this.#crc);
      this.#length += bytesRead;
    }
    this.#resumed = this.#length > 0;
    return this.#length;
  }

  /** Adds an answer's body: the rest after 206, all of it after 200. */
  async take(status: number, etag: string | undefined, body: AsyncIterable<Uint8Array>) {
    if (status !== 206) {
      await this.#clear();
      this.#resumed = false;
    }
    if (etag !== undefined && etag !== this.#etag) {
      await writeFile(this.#etagPath, etag, { mode: 0o600 });
      this.#etag = etag;
    }
    for await (const chunk of body) {
      this.#crc = crc32(chunk, this.#crc);
      await this.#write(chunk);
    }
  }

  /** Throws unless length and checksum are the file's. */
  async check(file: PublishedFile): Promise<void> {
    const { size: onDisk } = await this.#handle.stat();
    if (onDisk !== (file.size ?? onDisk) || onDisk !== this.#length) {
      throw new WrongContent(`got ${onDisk} of ${file.size ?? this.#length} bytes`);
    }
    const found = this.#crc.toString(16).padStart(8, "0");
    if (found === (file.crc32 ?? found)) return;
    throw new WrongContent(`the checksum is ${found} and should be ${file.crc32 ?? ""}`);
  }

  async #clear(): Promise<void> {
    await this.#handle.truncate(0);
    [this.#length, this.#crc] = [0, 0];
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let from = 0; from < chunk.length;) {
      const { bytesWritten } = await this.#handle.write(chunk, from);
      from += bytesWritten;
      this.#length += bytesWritten;
    }
  }
}

class WrongContent extends CommandError {
  constructor(how: string) {
    super(exitCodes.failed, `the download is damaged: ${how}`, "Run the command again.");
  }
}

/** A link does not overwrite, so nothing that came up meanwhile is lost. */
async function moveTo(partial: string, place: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    await rename(partial, place);
    return;
  }
  try {
    await link(partial, place);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw taken(place);
    // Some file systems know no links.
    if (await exists(place)) throw taken(place);
    await rename(partial, place);
    return;
  }
  await rm(partial);
}

async function exists(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined;
}

function taken(place: string): CommandError {
  const hint = "Give another place with -o, or --force to overwrite it.";
  return new CommandError(exitCodes.failed, `${place} exists already`, hint);
}
