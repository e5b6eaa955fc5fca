import { expect, it } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { volumeOrSkip } from "../support/small-volume.ts";
import { fillCatalog } from "./full-catalog.ts";
import { keepBytesElsewhere, withPlace } from "./small-place.ts";

const MiB = 1024 * 1024;

function apiOf({ url, appId, token }: ServerProcess): GraphApi {
  return new GraphApi({ url: new URL(url), appId, token });
}

it("a server that was killed while its catalog was full starts, and tells where uploads stand", async (context) => {
  const volume = await volumeOrSkip(24 * MiB, context);
  await keepBytesElsewhere(volume, context);
  await withPlace(volume, async (place) => {
    const { server } = place;
    const id = await apiOf(server).start({ file_length: 1000 });
    await apiOf(server).append({ id, offset: 0, bytes: Buffer.alloc(10) });
    await fillCatalog(place, new SeededRandom(6));
    await volume.fillUntil(0);
    await server.kill9();
    await server.restart();
    expect(await apiOf(server).offset(id)).toBe(10);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    await server.restart();
    expect(await apiOf(server).offset(id)).toBe(10);
  });
});
