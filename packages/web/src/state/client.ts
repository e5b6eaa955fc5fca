import type { ConnectionOptions, GraphClient, UploadTask } from "hawser-client";
import { connectGraph, UploadQueue } from "hawser-client";
import { IndexedDbResumeStore } from "hawser-client/indexed-db";
import type { Session } from "./session.ts";

const resumeStore = new IndexedDbResumeStore();
const queues = new WeakMap<Session, UploadQueue>();

/** The server's routes one by one. */
export function connect(session: Session): GraphClient {
  return connectGraph(connection(session));
}

/**
 * Lines up an upload behind those that were added before; it goes on with the one that was begun of
 * this very file, if there is one.
 */
export function begin(session: Session, file: File): UploadTask {
  let queue = queues.get(session);
  if (queue === undefined) {
    queue = newQueue(session);
    queues.set(session, queue);
  }
  return queue.add(file);
}

function newQueue(session: Session): UploadQueue {
  return new UploadQueue({
    ...connection(session),
    parallel: 3,
    resumeStore,
    // Every so often the server tells how much is durable, and the rope is laid further.
    chunkSize: 8 * 1024 * 1024,
    // A page may be left open over a night in which the server is down.
    retry: { attempts: 1000 },
  });
}

function connection({ token, me }: Session): ConnectionOptions {
  return { url: location.origin, appId: me.app.id, token, version: me.graphVersion };
}
