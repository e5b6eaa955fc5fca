import type { ConnectionOptions, GraphClient, UploadTask } from "hawser-client";
import { connectGraph, upload } from "hawser-client";
import type { Session } from "./session.ts";

function connection({ token, me }: Session): ConnectionOptions {
  return { url: location.origin, appId: me.app.id, token, version: me.graphVersion };
}

/** The server's routes one by one. */
export function connect(session: Session): GraphClient {
  return connectGraph(connection(session));
}

/** Begins an upload, or goes on with the one that was begun of this very file. */
export function begin(session: Session, file: File): UploadTask {
  return upload(file, {
    ...connection(session),
    // Every so often the server tells how much is durable, and the rope is laid further.
    chunkSize: 8 * 1024 * 1024,
    // A page may be left open over a night without network.
    retry: { attempts: 1000 },
  });
}
