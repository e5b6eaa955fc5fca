import { expect } from "vitest";

import { dialects } from "../support/dialect-wire.ts";
import type { SeededRandom } from "../support/seeded.ts";
import { doneOrNoRoom, type Place } from "./small-place.ts";
import { TrackedUpload } from "./tracked-upload.ts";

/** Uploads that live in the catalog, and creations, until several of both were refused. */
export async function fillCatalog({ peer, volume }: Place, random: SeededRandom): Promise<void> {
  const uploads: TrackedUpload[] = [];
  for (let number = 0; number < 400; number += 1) {
    const content = random.bytes(16 * 1024);
    uploads.push(await TrackedUpload.create(peer, content, () => random.pick(dialects)));
  }
  await volume.fillUntil(0);
  const refused = { appends: 0, creations: 0 };
  for (const upload of uploads) {
    const answer = await upload.append({ from: 0, to: upload.length });
    if (doneOrNoRoom(answer) === "no room") refused.appends += 1;
    if (doneOrNoRoom(await peer.create(16 * 1024)) === "no room") refused.creations += 1;
    await upload.check();
    if (Math.min(refused.appends, refused.creations) > 3) break;
  }
  expect(refused.appends, "the catalog never was full").toBeGreaterThan(3);
  expect(refused.creations, "it was full for appends alone").toBeGreaterThan(3);
  for (const upload of uploads) await upload.check();
}
