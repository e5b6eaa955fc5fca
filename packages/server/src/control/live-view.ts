import { limits } from "../base/limits.ts";
import type { EngineParts } from "../engine/parts.ts";
import {
  countUploads,
  seeOpenUploads,
  seeStalledUploads,
  stalledIds,
  type OpenQuery,
  type SeenUpload,
} from "../engine/overview.ts";
import type { Upload, UploadState } from "../engine/records.ts";

export interface LiveViewParts {
  readonly engine: EngineParts;
  /** An upload's name in the Graph protocol. */
  readonly graphIdOf: (upload: Upload) => string;
}

/** Which open uploads are looked at: all, or those that have stalled at this node. */
export interface LiveQuery extends OpenQuery {
  readonly stalled: boolean;
}

export type UploadJson = ReturnType<typeof uploadJson>;

export interface UploadsPage {
  readonly uploads: readonly UploadJson[];
  readonly next: string | null;
}

export interface Counts {
  readonly counts: Readonly<Record<UploadState, number>>;
  readonly countsAt: string;
}

interface Counting {
  readonly result: Counts;
  readonly until: number;
}

/** What an operator sees of the uploads, looked up as seldom as its cost demands. */
export class LiveView {
  readonly #parts: LiveViewParts;
  #counting: Promise<Counting> | undefined;

  constructor(parts: LiveViewParts) {
    this.#parts = parts;
  }

  async page(query: LiveQuery): Promise<UploadsPage> {
    const { engine } = this.#parts;
    const { limit } = query;
    // Of these there is one page: what was looked at and ended makes room for the next.
    if (query.stalled) return this.#pageOf(await seeStalledUploads(engine, query), null);
    const seen = await seeOpenUploads(engine, { ...query, limit: limit + 1 });
    const shown = seen.slice(0, limit);
    const last = shown.at(-1)?.upload;
    return this.#pageOf(shown, seen.length > limit && last !== undefined ? cursorOf(last) : null);
  }

  /** How many have stalled at this node. */
  stalled(): number {
    return stalledIds(this.#parts.engine).length;
  }

  #pageOf(shown: readonly SeenUpload[], next: string | null): UploadsPage {
    const { graphIdOf } = this.#parts;
    return { uploads: shown.map((each) => uploadJson(each, graphIdOf(each.upload))), next };
  }

  /** The same for all who watch; some seconds old where there are many uploads. */
  async counts(): Promise<Counts> {
    const before = await this.#counting;
    const { clock } = this.#parts.engine;
    if (before !== undefined && clock.monotonic() < before.until) return before.result;
    this.#counting = this.#count();
    this.#counting.catch(() => {
      this.#counting = undefined;
    });
    return (await this.#counting).result;
  }

  async #count(): Promise<Counting> {
    const { engine } = this.#parts;
    const { clock } = engine;
    const from = clock.monotonic();
    const counts = await countUploads(engine);
    const now = clock.monotonic();
    const rest = Math.max(limits.liveCountMsMin, limits.liveCountFactor * (now - from));
    return { result: { counts, countsAt: timeJson(clock.now()) }, until: now + rest };
  }
}

/** Where the next page begins, as text that a client hands back. */
function cursorOf({ id, updatedAt }: Upload): string {
  return `${updatedAt}.${id}`;
}

/** Undefined for what is no cursor. */
export function readCursor(text: string): OpenQuery["after"] {
  const [, updatedAt, id] = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(text) ?? [];
  return updatedAt === undefined || id === undefined
    ? undefined
    : { updatedAt: Number(updatedAt), id };
}

function uploadJson(seen: SeenUpload, graphId: string) {
  const { upload, writer, received, dialect, stalledSince } = seen;
  return {
    id: upload.id,
    graphId,
    appId: upload.appId,
    userId: upload.userId,
    dialect: dialect ?? null,
    name: upload.name,
    type: upload.type,
    state: upload.state,
    length: upload.length ?? null,
    offset: upload.offset,
    received: received ?? null,
    writer: writer ?? null,
    stalledSince: stalledSince === undefined ? null : timeJson(stalledSince),
    createdAt: timeJson(upload.createdAt),
    updatedAt: timeJson(upload.updatedAt),
    expiresAt: timeJson(upload.expiresAt),
  };
}

function timeJson(at: number): string {
  return new Date(at).toISOString();
}
