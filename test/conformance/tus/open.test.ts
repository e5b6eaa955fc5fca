import { expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget({ extraArguments: ["--open"] });

it("a server that is open on this machine takes a whole upload without a token", async (context) => {
  target().ownServer(context);
  const stranger = target().api.withToken(undefined);
  const bytes = patternBytes({ seed: 341, length: 40_000 });
  const url = await stranger.create({ "Upload-Length": `${bytes.length}` });
  await stranger.patch({ url, offset: 0, bytes });
  expect(await stranger.offsetOf(url)).toBe(bytes.length);
  expect((await target().content(url)).equals(bytes)).toBe(true);
  expect((await stranger.options()).header("tus-max-size")).toMatch(/^\d+$/);
});
