import { expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, full, malformed } from "./expect-error.ts";
import { type GraphApi, uploadPath } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

function startWith(api: GraphApi, file_length: number) {
  const named = { file_name: "a.pdf", file_type: "application/pdf" };
  return api.startWith({ ...named, file_length: `${file_length}`, access_token: api.token });
}

it("an app over its room is refused with 507 and Retry-After, and others are not", async (context) => {
  const api = await target().secondApp(context, { roomBytesMax: 1_000 });
  await api.start({ file_length: 600 });
  const refused = await startWith(api, 401);
  expectGraphError(refused, { ...full, message: /this app may bring 1000 bytes in all/ });
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  expect((await startWith(api, 400)).status).toBe(200);
  await target().api.start({ file_length: 5_000 });
});

it("what was promised goes on, and each byte that comes makes room for another", async (context) => {
  const api = await target().secondApp(context, { roomBytesMax: 1_000 });
  const bytes = patternBytes({ seed: 151, length: 1_000 });
  const id = await api.start({ file_length: 1_000 });
  expectGraphError(await startWith(api, 1), full);
  await api.append({ id, offset: 0, bytes: bytes.subarray(0, 300) });
  expectGraphError(await startWith(api, 301), full);
  const next = await api.start({ file_length: 300 });
  expectGraphError(await startWith(api, 1), full);
  const done = await api.append({ id, offset: 300, bytes: bytes.subarray(300) });
  expect((await api.content(await api.publish(done.text("h")))).equals(bytes)).toBe(true);
  await api.start({ file_length: 700 });
  expectGraphError(await startWith(api, 1), full);
  await api.delete(uploadPath(next));
  await api.start({ file_length: 300 });
});

it("a file longer than the app's room is not one to try again", async (context) => {
  const api = await target().secondApp(context, { roomBytesMax: 1_000 });
  const answer = await startWith(api, 1_001);
  expectGraphError(answer, { ...malformed, message: /file_length is too large.* from 1 to 1000/ });
  expect((await startWith(api, 1_000)).status).toBe(200);
});
