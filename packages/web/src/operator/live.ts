import { signal } from "@preact/signals";
import { ServerRefusal } from "../state/server-api.ts";
import { session, signOut } from "../state/session.ts";
import { callAsMyself } from "../state/token-renewal.ts";
import type { Trouble } from "../words/trouble.ts";
import { asSentence } from "../words/trouble.ts";
import { readEvents } from "./event-stream.ts";
import type { LiveChange, LivePicture } from "./live-words.ts";
import { applyChange } from "./live-words.ts";

/** What the server shows of itself; undefined until it has. */
export const picture = signal<LivePicture | undefined>(undefined);
/** Why the picture stands still. */
export const liveTrouble = signal<Trouble | undefined>(undefined);

/** Which of the open uploads are listed. */
export interface ListedUploads {
  readonly stalled: boolean;
  /** The page after this place; the first unless given. */
  readonly after?: string;
}

export const listed = signal<ListedUploads>({ stalled: false });

const againMs = 3000;
/** The server tells something every second, if only what time it is. */
const silentMsMax = 10_000;

/** Keeps the picture current until aborted. */
export async function watchLive(uploads: ListedUploads, signal: AbortSignal): Promise<void> {
  while (!isAborted(signal)) {
    try {
      await follow(uploads, signal);
    } catch (error) {
      if (isAborted(signal)) return;
      liveTrouble.value = explain(error);
      // Asked for a fresh token, the person gave none: there is nothing to look at.
      if (error instanceof ServerRefusal && error.status === 401) signOut();
    }
    await pause(signal);
  }
}

/** Asked anew after every wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function follow({ stalled, after }: ListedUploads, signal: AbortSignal): Promise<void> {
  if (session.peek() === undefined) return;
  const query = new URLSearchParams({
    ...(stalled ? { stalled: "true" } : {}),
    ...(after === undefined ? {} : { after }),
  });
  const response = await callAsMyself(`/admin/v1/live?${query}`, { signal });
  if (response.body === null) return;
  for await (const { name, data } of readEvents(response.body, silentMsMax)) {
    // The page and its server come as one, so each event is what the contract says.
    const event: unknown = JSON.parse(data);
    liveTrouble.value = undefined;
    if (name === "snapshot") picture.value = event as LivePicture;
    if (name === "change" && picture.value !== undefined) {
      picture.value = applyChange(picture.value, event as LiveChange);
    }
  }
}

function explain(error: unknown): Trouble {
  const next = "The page tries again by itself; what is shown may be old.";
  if (!(error instanceof ServerRefusal)) return { happened: "The connection was cut.", next };
  return { happened: asSentence(error.message), next };
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, againMs);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Ends an open upload. @throws ServerRefusal */
export async function endUpload(id: string, how: "cancel" | "expire"): Promise<void> {
  await callAsMyself(`/admin/v1/uploads/${id}/${how}`, { method: "POST", body: {} });
}
