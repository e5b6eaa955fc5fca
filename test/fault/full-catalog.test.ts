import { it } from "vitest";

import { SeededRandom } from "../support/seeded.ts";
import { volumeOrSkip } from "../support/small-volume.ts";
import { fillCatalog } from "./full-catalog.ts";
import { keepBytesElsewhere, withPlace } from "./small-place.ts";

const MiB = 1024 * 1024;

it("every request that a full catalog cannot take is refused with 507, and none with 500", async (context) => {
  const volume = await volumeOrSkip(24 * MiB, context);
  await keepBytesElsewhere(volume, context);
  await withPlace(volume, (place) => fillCatalog(place, new SeededRandom(5)));
});
