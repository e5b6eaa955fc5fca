import { expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectUploadError, gone } from "./expect-error.ts";
import { uploadPath } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

// Nothing is swept while this runs.
const target = useGraphTarget({ extraArguments: ["--sweep-interval-seconds", "3600"] });

it("an upload is over when its time is, not when it is swept", async (context) => {
  const api = await target().secondApp(context, { lifetimeSeconds: 3 });
  const id = await api.start({ file_length: 40_000 });
  const bytes = patternBytes({ seed: 161, length: 40_000 });
  expect((await api.append({ id, offset: 0, bytes: bytes.subarray(0, 20_000) })).status).toBe(200);
  const over = await eventually(
    async () => {
      const answer = await api.status(id);
      return answer.status === 200 ? undefined : answer;
    },
    { what: "its time to be over", intervalMs: 100 },
  );
  const expired = { ...gone, message: /expired/ };
  expectUploadError(over, expired);
  const rest = { id, offset: 20_000, bytes: bytes.subarray(20_000) };
  expectUploadError(await api.append(rest), expired);
  expectUploadError(await api.delete(uploadPath(id)), expired);
});
