import { expect, it } from "vitest";

import { dialects } from "../support/dialect-wire.ts";
import { SeededRandom } from "../support/seeded.ts";
import { volumeOrSkip } from "../support/small-volume.ts";
import { doneOrNoRoom, withPlace } from "./small-place.ts";
import { TrackedUpload } from "./tracked-upload.ts";

const MiB = 1024 * 1024;

it("every request that a full catalog cannot take is refused with 507, and none with 500", async (context) => {
  const volume = await volumeOrSkip(24 * MiB, context);
  const random = new SeededRandom(5);
  await withPlace(volume, async ({ peer }) => {
    const uploads: TrackedUpload[] = [];
    for (let number = 0; number < 400; number += 1) {
      const content = random.bytes(16 * 1024);
      uploads.push(await TrackedUpload.create(peer, content, () => random.pick(dialects)));
    }
    await volume.fillUntil(0);
    const refusedCreates: string[] = [];
    for (const upload of uploads) {
      doneOrNoRoom(await upload.append({ from: 0, to: upload.length }));
      if (doneOrNoRoom(await peer.create(16 * 1024)) === "no room") refusedCreates.push(upload.id);
      if (refusedCreates.length > 3) break;
    }
    expect(refusedCreates.length, "the catalog never was full").toBeGreaterThan(3);
    for (const upload of uploads) await upload.check();
  });
});
