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
}

/**
 * Whether there is room for more. What is promised to open uploads is summed from their rows, never
 * counted along; an upload that has been idle for long loses its claim, not its bytes.
 */
export class Room {
  readonly #parts: RoomParts;
  #last: Look | undefined;
  #looking: Promise<Look> | undefined;
  /** Bytes that were promised and that the last look may not have counted. */
  #begun = 0;
  /** Those of them that a look which begins now will count. */
  #countable = 0;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /**
   * Fails with `no_room` when an upload of this length cannot be promised its place; else `begin`
   * makes its row. The promise is taken back where that answers false: no upload was begun.
   */
  async promise(length: number, begin: () => Promise<boolean>): Promise<boolean> {
    const { room, promised } = await this.#look();
    if (room === undefined) return begin();
    const soft = this.#parts.marks.softBytes ?? shareOf(room, limits.softRoomShare, "soft");
    if (room.freeBytes - promised - this.#begun - length < soft) {
      throw uploadError("no_room", { offset: undefined });
    }
    this.#begun += length;
    // What fails may have made a row all the same.
    let isBegun = true;
    try {
      isBegun = await begin();
    } finally {
      if (isBegun) this.#countable += length;
      else this.#begun -= length;
    }
    return isBegun;
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
    const { room, promised } = await this.#look();
    if (room === undefined) return undefined;
    return {
      ...room,
      promisedBytes: promised + this.#begun,
      softBytes: this.#parts.marks.softBytes ?? shareOf(room, limits.softRoomShare, "soft"),
      hardBytes: this.#parts.marks.hardBytes ?? shareOf(room, limits.hardRoomShare, "hard"),
    };
  }

  /** One look is shared by all who want it meanwhile. One that fails is not kept. */
  #look(): Promise<Look> {
    const last = this.#last;
    const now = this.#parts.clock.monotonic();
    const rest = Math.max(limits.roomLookMs, limits.roomLookFactor * (last?.tookMs ?? 0));
    if (last !== undefined && now < last.at + rest) return Promise.resolve(last);
    this.#looking ??= this.#lookNow(now).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(at: number): Promise<Look> {
    const { catalog, blobs, clock } = this.#parts;
    const counted = this.#countable;
    const room = await blobs.room();
    const since = clock.now() - limits.roomPromiseMs;
    const promised = room === undefined ? 0 : await catalog.bytesStillDue(since);
    this.#begun -= counted;
    this.#countable -= counted;
    this.#last = { at, tookMs: clock.monotonic() - at, room, promised };
    return this.#last;
  }
}

function shareOf(room: StoreRoom, share: number, mark: "soft" | "hard"): number {
  const most = mark === "soft" ? limits.softRoomBytesMax : limits.hardRoomBytesMax;
  return Math.min(most, Math.floor(room.totalBytes * share));
}
