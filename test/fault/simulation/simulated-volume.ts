import type { StoreRoom } from "../../../packages/server/src/blobs/blob-store.ts";
import type { Volume, VolumeFile } from "../../../packages/server/src/blobs/disk/volume.ts";
import type { Chance } from "./chance.ts";
import { SimulatedFile, type SyncedState } from "./simulated-file.ts";
import { SimulatedNames } from "./simulated-names.ts";
import { ThreadPool, type Later } from "./thread-pool.ts";
import { InjectedError, type Weather } from "./weather.ts";

/** What a volume tells whoever watches over it, at the moment it happens in the kernel. */
export interface VolumeWatch {
  creates(key: string): void;
  writes(key: string, position: number): void;
  truncates(key: string, length: number): void;
  removes(key: string): void;
  quarantines(key: string): void;
  /** An operation meant for one file was done to another, or to a descriptor that is closed. */
  strays(meant: string, met: string | undefined): void;
  injects(fault: string): void;
}

export interface SimulatedVolumeParts {
  readonly chance: Chance;
  readonly later: Later;
  readonly weather: () => Weather;
  readonly watch: VolumeWatch;
}

interface OpenFile {
  readonly key: string;
  readonly file: SimulatedFile;
}

/** A disk that forgets what was not synced, behind descriptors that are used again. */
export class SimulatedVolume implements Volume {
  readonly #parts: SimulatedVolumeParts;
  readonly #names = new SimulatedNames();
  readonly #pool: ThreadPool;
  /** By descriptor: the lowest free number is given next, as the system does. */
  #descriptors: (OpenFile | undefined)[] = [];

  constructor(parts: SimulatedVolumeParts) {
    this.#parts = parts;
    this.#pool = new ThreadPool(parts.later);
  }

  create(key: string): Promise<VolumeFile> {
    return this.#open(() => {
      if (this.#names.get(key) !== undefined) throw systemError("EEXIST", key);
      const { noRoom } = this.#parts.weather();
      if (noRoom && this.#parts.chance.happens(0.05)) throw this.#injected("ENOSPC", "create");
      const opened = { key, file: new SimulatedFile() };
      this.#parts.watch.creates(key);
      this.#names.change({ kind: "create", ...opened });
      return opened;
    });
  }

  open(key: string, mode: "read" | "write"): Promise<VolumeFile> {
    return this.#open(() => {
      const file = this.#names.get(key);
      if (file === undefined) throw systemError("ENOENT", key);
      if (mode === "write") this.#mayFail("open");
      return { key, file };
    });
  }

  syncDirectory(key: string): Promise<void> {
    let pending = this.#names.pendingBeside(key);
    return this.#pool.run({
      begin: () => {
        pending = this.#names.pendingBeside(key);
      },
      end: () => {
        this.#mayFail("syncDirectory");
        this.#names.endSync(pending);
      },
    });
  }

  remove(key: string): Promise<void> {
    return this.#pool.run({
      begin: () => {
        const file = this.#names.get(key);
        if (file === undefined) return;
        this.#parts.watch.removes(key);
        this.#names.change({ kind: "remove", key, file });
      },
      end: () => undefined,
    });
  }

  async *list(): AsyncIterable<string> {
    const keys = await this.#pool.run({ begin: () => undefined, end: () => this.#names.keys() });
    yield* keys.sort();
  }

  quarantine(key: string): Promise<boolean> {
    let found = false;
    return this.#pool.run({
      begin: () => {
        const file = this.#names.get(key);
        if (file === undefined) return;
        found = true;
        this.#parts.watch.quarantines(key);
        this.#names.change({ kind: "quarantine", key, file });
      },
      end: () => found,
    });
  }

  room(): Promise<StoreRoom> {
    return Promise.resolve({ freeBytes: 2 ** 50, totalBytes: 2 ** 50 });
  }

  /** The process ends and the system lives on: what was written stays readable. */
  endProcess(): void {
    this.#pool.abandon(this.#parts.chance);
    this.#descriptors = [];
  }

  /** The power goes: whatever no sync made durable is there or not. */
  losePower(): void {
    this.endProcess();
    this.#names.losePower(this.#parts.chance);
  }

  keys(): string[] {
    return this.#names.keys();
  }

  fileOf(key: string): SimulatedFile | undefined {
    return this.#names.get(key);
  }

  /** A file's first bytes as a power cut at this moment would leave them. */
  durable(key: string, length: number): Buffer {
    const file = this.#names.isDurable(key) ? this.#names.get(key) : undefined;
    return file?.durable(length) ?? Buffer.alloc(0);
  }

  get openKeys(): string[] {
    return this.#descriptors.flatMap((open) => (open === undefined ? [] : [open.key]));
  }

  #open(find: () => OpenFile): Promise<VolumeFile> {
    let descriptor = -1;
    let opened: OpenFile | undefined;
    return this.#pool.run({
      begin: () => {
        opened = find();
        const free = this.#descriptors.indexOf(undefined);
        descriptor = free === -1 ? this.#descriptors.length : free;
        this.#descriptors[descriptor] = opened;
      },
      end: () => {
        if (opened === undefined) throw new Error("the open has not begun");
        return this.#fileAt(descriptor, opened);
      },
    });
  }

  #fileAt(descriptor: number, meant: OpenFile): VolumeFile {
    const met = (): SimulatedFile => {
      const found = this.#descriptors[descriptor];
      if (found !== meant) this.#parts.watch.strays(meant.key, found?.key);
      if (found === undefined) throw systemError("EBADF", meant.key);
      return found.file;
    };
    return {
      length: () => this.#quick(() => met().length),
      read: (into, position) =>
        this.#quick(() => {
          const bytes = met().content(position, position + into.length);
          into.set(bytes);
          return bytes.length;
        }),
      truncate: (length) =>
        this.#quick(() => {
          const file = met();
          this.#mayFail("truncate");
          this.#parts.watch.truncates(this.#descriptors[descriptor]?.key ?? "", length);
          file.truncate(length);
        }),
      write: (chunks, position) => {
        const bytes = Buffer.concat(chunks);
        return this.#quick(() => {
          const file = met();
          this.#parts.watch.writes(this.#descriptors[descriptor]?.key ?? "", position);
          return this.#write(file, bytes, position);
        });
      },
      sync: () => this.#sync(met),
      close: () =>
        this.#quick(() => {
          met();
          this.#descriptors[descriptor] = undefined;
          this.#mayFail("close");
        }),
    };
  }

  #write(file: SimulatedFile, bytes: Buffer, position: number): number {
    const { chance } = this.#parts;
    const { shortWrites, noRoom } = this.#parts.weather();
    const part = chance.integer(1, Math.max(1, bytes.length - 1));
    if (noRoom && chance.happens(0.06)) {
      // Whether a part of it is in the file, the caller cannot know.
      if (chance.happens(0.5)) file.write(bytes.subarray(0, part), position);
      throw this.#injected("ENOSPC", "write");
    }
    this.#mayFail("write");
    const count = shortWrites && chance.happens(0.2) ? part : bytes.length;
    file.write(bytes.subarray(0, count), position);
    return count;
  }

  #sync(met: () => SimulatedFile): Promise<void> {
    let syncing: { file: SimulatedFile; state: SyncedState } | undefined;
    return this.#pool.run({
      begin: () => {
        const file = met();
        syncing = { file, state: file.beginSync() };
      },
      end: () => {
        if (syncing === undefined) return;
        const { file, state } = syncing;
        const code = this.#syncFailure();
        if (code !== undefined) {
          file.failSync(state, this.#parts.chance);
          throw this.#injected(code, "sync");
        }
        file.endSync(state);
        if (this.#parts.weather().kindNames) this.#names.endSync(this.#names.pendingOf(file));
      },
    });
  }

  #syncFailure(): string | undefined {
    const { chance } = this.#parts;
    const { deviceErrors, noRoom } = this.#parts.weather();
    if (deviceErrors && chance.happens(0.05)) return "EIO";
    if (noRoom && chance.happens(0.05)) return "ENOSPC";
    return undefined;
  }

  #mayFail(operation: string): void {
    const { deviceErrors } = this.#parts.weather();
    if (deviceErrors && this.#parts.chance.happens(0.04)) throw this.#injected("EIO", operation);
  }

  #injected(code: string, operation: string): InjectedError {
    this.#parts.watch.injects(`${operation}: ${code}`);
    return new InjectedError(code);
  }

  /** An operation that has its whole effect at once. */
  #quick<Result>(effect: () => Result): Promise<Result> {
    let result: Result;
    return this.#pool.run({
      begin: () => {
        result = effect();
      },
      end: () => result,
    });
  }
}

function systemError(code: string, key: string): Error {
  return Object.assign(new Error(`${code}: ${key}`), { code });
}
