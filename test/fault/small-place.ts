import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type TestContext } from "vitest";

import type { Answer } from "../support/dialect-answer.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
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
  program: readonly string[] = sourceProgram,
): Promise<void> {
  try {
    const server = await ServerProcess.start({ dataDirectory: volume.mountPoint, program });
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

/** Leaves a volume to the catalog alone: a server there will keep its bytes in another place. */
export async function keepBytesElsewhere(
  { mountPoint }: SmallVolume,
  context: TestContext,
): Promise<void> {
  const elsewhere = await mkdtemp(join(tmpdir(), "hawser-elsewhere-"));
  context.onTestFinished(() => rm(elsewhere, { recursive: true, force: true }));
  await mkdir(join(elsewhere, "blobs"));
  await symlink(join(elsewhere, "blobs"), join(mountPoint, "blobs"));
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
