import type {
  BrowserInput,
  ConnectionOptions,
  GraphClient,
  Platform,
  UploadTask,
  UploadWarning,
} from "hawser-client";
import { browserPlatform, connectGraph, UploadQueue } from "hawser-client";
import { IndexedDbResumeStore } from "hawser-client/indexed-db";
import { claim, claimName, HeldElsewhere } from "./file-claims.ts";
import { fileKeyOf } from "./known-file.ts";
import type { Session } from "./session.ts";
import { tokenSource } from "./token-renewal.ts";

const resumeStore = new IndexedDbResumeStore();
/** By app; a fresh token changes nothing of them. */
const queues = new Map<string, UploadQueue>();

/** The server's routes one by one. */
export function connect(session: Session): GraphClient {
  return connectGraph(connection(session));
}

/**
 * Lines up an upload behind those that were added before; it goes on with the one that was begun of
 * this very file, if there is one, and fails with `HeldElsewhere` while another tab sends it.
 */
export function begin(
  session: Session,
  file: File,
  onWarning: (warning: UploadWarning) => void,
): UploadTask {
  const { id } = session.me.app;
  const queue = queues.get(id) ?? newQueue(session);
  queues.set(id, queue);
  // Its own, because each upload is refused on its own.
  return queue.add(file, { token: tokenSource(), onWarning });
}

/** The handle of a complete upload that this browser remembers. */
export async function rememberedHandle(uploadId: string): Promise<string | undefined> {
  const entries = await resumeStore.list().catch(() => []);
  return entries.find(({ entry }) => entry.id === uploadId)?.entry.handle;
}

/** Complete uploads of which nothing is to be known: their files would be sent anew. */
export async function forgetComplete(uploadIds: ReadonlySet<string>): Promise<void> {
  try {
    for (const { key, entry } of await resumeStore.list()) {
      if (entry.state === "complete" && uploadIds.has(entry.id)) await resumeStore.remove(key);
    }
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

function newQueue(session: Session): UploadQueue {
  const options = {
    ...connection(session),
    parallel: 3,
    resumeStore,
    // Another tab that was to send the same file finds it done.
    keepCompleted: true,
    // Every so often the server tells how much is durable, and the rope is laid further.
    chunkSize: 8 * 1024 * 1024,
    // A page may be left open over a night in which the server is down.
    retry: { attempts: 1000 },
  };
  return new UploadQueue(options, claimingPlatform(session.me.app.id));
}

/** The browser's own parts, except that a file is opened by one tab at a time. */
function claimingPlatform(appId: string): Platform<BrowserInput> {
  return {
    ...browserPlatform,
    openSource: async (input) => {
      const name = input instanceof File ? claimName(appId, fileKeyOf(input)) : undefined;
      const release = name === undefined ? () => undefined : await claim(name);
      if (release === undefined) throw new HeldElsewhere();
      try {
        const source = await browserPlatform.openSource(input);
        const close = () => source.close().finally(release);
        return { ...source, close };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

function connection({ me }: Session): ConnectionOptions {
  const { app, graphVersion: version } = me;
  return { url: location.origin, appId: app.id, token: tokenSource(), version };
}
