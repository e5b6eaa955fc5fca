// What `GET /admin/v1/live` tells. Times are ISO 8601, lengths and offsets bytes.

export interface LiveUpload {
  readonly id: string;
  readonly appId: string;
  readonly name: string;
  /** Null until its sender says it. */
  readonly length: number | null;
  /** Durable. */
  readonly offset: number;
  /** Arrived; null when another node has the writer, or nobody. */
  readonly received: number | null;
  readonly writer: "here" | "elsewhere" | null;
  readonly stalledSince: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly expiresAt: string;
}

export interface LiveSample {
  readonly at: string;
  /** Bytes in that second. */
  readonly receivedBytes: number;
  readonly durableBytes: number;
  readonly writers: number;
}

export interface LiveError {
  readonly at: string;
  /** Null where only the status is known. */
  readonly code: string | null;
  readonly status: number;
  readonly method: string;
  readonly route: string;
  readonly trace: string;
  readonly app: string | null;
}

export interface LiveRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly promisedBytes: number;
}

export interface LivePicture {
  readonly at: string;
  readonly node: string;
  readonly uploads: readonly LiveUpload[];
  /** Where the next page begins. */
  readonly next: string | null;
  /** How many have stalled, listed or not. */
  readonly stalled: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly room: LiveRoom | null;
  readonly samples: readonly LiveSample[];
  readonly errors: readonly LiveError[];
}

/** Only what changed. */
export interface LiveChange extends Partial<Omit<LivePicture, "uploads">> {
  readonly uploads?: { readonly order: readonly string[]; readonly put: readonly LiveUpload[] };
}

const samplesMax = 300;
const errorsMax = 50;

export function applyChange(picture: LivePicture, change: LiveChange): LivePicture {
  const { uploads, samples = [], errors = [], ...rest } = change;
  return {
    ...picture,
    ...rest,
    uploads: uploads === undefined ? picture.uploads : reorder(picture.uploads, uploads),
    samples: [...picture.samples, ...samples].slice(-samplesMax),
    errors: [...errors, ...picture.errors].slice(0, errorsMax),
  };
}

function reorder(
  before: readonly LiveUpload[],
  { order, put }: NonNullable<LiveChange["uploads"]>,
): LiveUpload[] {
  const byId = new Map([...before, ...put].map((upload) => [upload.id, upload]));
  return order.flatMap((id) => byId.get(id) ?? []);
}
