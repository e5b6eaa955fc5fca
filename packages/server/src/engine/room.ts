import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { BlobStore, StoreRoom } from "../blobs/blob-store.ts";
import type { Catalog } from "../catalog/catalog.ts";

/** Bytes that stay free; undefined takes a share of the volume. */
export interface RoomMarks {
  /** Below this no upload is begun. */
  readonly softBytes: number | undefined;
  /** Below this no upload goes on. */
  readonly hardBytes: number | undefined;
}

/** Bytes of the volume, what open uploads may still bring, and the marks. */
export interface RoomReport extends StoreRoom {
  readonly promisedBytes: number;
  readonly softBytes: number;
  readonly hardBytes: number;
}

export interface RoomParts {
  readonly catalog: Pick<Catalog, "bytesStillDue">;
  readonly blobs: Pick<BlobStore, "room">;
  readonly clock: Clock;
  readonly marks: RoomMarks;
}

interface Look {
  readonly at: number;
  /** How long looking took: looking again may cost a twentieth of the time at most. */
  readonly tookMs: number;
  /** Undefined where the store has no end. */
  readonly room: StoreRoom | undefined;
  /** What open uploads may still bring. */
  readonly promised: number;
  /** What was promised since then. */
  begun: number;
}

/**
 * Whether there is room for more. What is promised to open uploads is summed from their rows, never
 * counted along; an upload that has been idle for long loses its claim, not its bytes.
 */
export class Room {
  readonly #parts: RoomParts;
  #last: Promise<Look> | undefined;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /**
   * Fails with `no_room` when an upload of this length cannot be promised its place. The function
   * that is returned takes the promise back, of an upload that was not begun after all.
   */
  async promise(length: number): Promise<() => void> {
    const look = await this.#look();
    const { room, promised } = look;
    if (room === undefined) return () => undefined;
    const soft = this.#parts.marks.softBytes ?? shareOf(room, limits.softRoomShare, "soft");
    if (room.freeBytes - promised - look.begun - length < soft) {
      throw uploadError("no_room", { offset: undefined });
    }
    look.begun += length;
    return () => {
      look.begun -= length;
    };
  }

  /** Fails with `no_room` when the volume is so full that nothing more may be written to it. */
  async admit(offset: number): Promise<void> {
    const { room } = await this.#look();
    if (room === undefined) return;
    const hard = this.#parts.marks.hardBytes ?? shareOf(room, limits.hardRoomShare, "hard");
    if (room.freeBytes < hard) throw uploadError("no_room", { offset });
  }

  /** How things stand; undefined where the store has no end. */
  async report(): Promise<RoomReport | undefined> {
    const { room, promised, begun } = await this.#look();
    if (room === undefined) return undefined;
    return {
      ...room,
      promisedBytes: promised + begun,
      softBytes: this.#parts.marks.softBytes ?? shareOf(room, limits.softRoomShare, "soft"),
      hardBytes: this.#parts.marks.hardBytes ?? shareOf(room, limits.hardRoomShare, "hard"),
    };
  }

  async #look(): Promise<Look> {
    const last = await this.#last;
    const now = this.#parts.clock.monotonic();
    const rest = Math.max(limits.roomLookMs, limits.roomLookFactor * (last?.tookMs ?? 0));
    if (last !== undefined && now < last.at + rest) return last;
    this.#last = this.#lookNow(now);
    return this.#last;
  }

  async #lookNow(at: number): Promise<Look> {
    const { catalog, blobs, clock } = this.#parts;
    const room = await blobs.room();
    const since = clock.now() - limits.roomPromiseMs;
    const promised = room === undefined ? 0 : await catalog.bytesStillDue(since);
    return { at, tookMs: clock.monotonic() - at, room, promised, begun: 0 };
  }
}

function shareOf(room: StoreRoom, share: number, mark: "soft" | "hard"): number {
  const most = mark === "soft" ? limits.softRoomBytesMax : limits.hardRoomBytesMax;
  return Math.min(most, Math.floor(room.totalBytes * share));
}
