import { expect } from "vitest";

import type { Answer } from "../support/dialect-answer.ts";
import { ServerProcess } from "../support/server-process.ts";
import type { SmallVolume } from "../support/small-volume.ts";
import { GraphPeer } from "./graph-peer.ts";

/** A server whose data directory is all on one small volume. */
export interface Place {
  readonly volume: SmallVolume;
  readonly server: ServerProcess;
  readonly peer: GraphPeer;
}

/** Runs the work with a server there, and takes everything down again. */
export async function withPlace(
  volume: SmallVolume,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  try {
    const server = await ServerProcess.start({ dataDirectory: volume.mountPoint });
    try {
      await work({ volume, server, peer: new GraphPeer(server) });
    } catch (error) {
      throw new Error(server.logLines.slice(-20).join("\n"), { cause: error });
    } finally {
      await server.kill9();
    }
  } finally {
    await volume.remove();
  }
}

/**
 * Done, or refused for want of room: in Graph's words, or with the offset in a field as the other
 * dialects have it. Anything else is wrong.
 */
export function doneOrNoRoom(answer: Answer | undefined): "done" | "no room" {
  if (answer?.status === 200) return "done";
  expect(answer?.status, JSON.stringify(answer)).toBe(507);
  const { file_offset: offset } = answer?.json ?? {};
  if (offset === undefined) {
    expect(answer?.json).toMatchObject({ error: { code: 2, is_transient: true } });
  }
  return "no room";
}
