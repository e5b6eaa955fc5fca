import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 100_000;
const bytes = patternBytes({ seed: 101, length });
// The server waits half a minute; twice that is a hang.
const timeoutMs = 60_000;

describe("a body that falls silent", () => {
  it(
    "is 408, keeps what had come, and the upload can be resumed",
    { timeout: timeoutMs },
    async (context) => {
      const { api } = target();
      const id = await api.start({ file_length: length });
      const append = { id, offset: 0 };
      using connection = await target().beginAppend(context, append, declaring(length));
      await connection.write(bytes.subarray(0, 40_000));
      const answer = await connection.answer({ timeoutMs });
      expect(answer.status, answer.body.toString()).toBe(408);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { type: "OAuthException", code: 2, is_transient: true },
        debug_info: { type: "PartialRequestError", retriable: true },
      });
      expect(await api.offset(id)).toBe(40_000);
      const rest = await api.append({ id, offset: 40_000, bytes: bytes.subarray(40_000) });
      expect(Object.keys(rest.json)).toEqual(["h"]);
    },
  );
});
