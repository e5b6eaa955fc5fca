import { expect, test } from "vitest";
import type { LivePicture, LiveUpload } from "./live-words.ts";
import { applyChange } from "./live-words.ts";

const at = "2026-01-01T00:00:00.000Z";

function upload(id: string, offset: number): LiveUpload {
  const times = { createdAt: at, updatedAt: at, expiresAt: at, stalledSince: null };
  const writer = { received: null, writer: null };
  return { id, appId: "1", name: `${id}.pdf`, length: 10, offset, ...writer, ...times };
}

const before: LivePicture = {
  ...{ at, node: "one", next: null, counts: { open: 2 }, stalled: 0, room: null },
  uploads: [upload("a", 1), upload("b", 2)],
  samples: [],
  errors: [],
};

test("a change replaces, adds, orders and removes uploads, and keeps what it does not name", () => {
  const change = { at, uploads: { order: ["c", "a"], put: [upload("c", 3), upload("a", 9)] } };
  const after = applyChange(before, change);
  expect(after.uploads.map(({ id, offset }) => [id, offset])).toEqual([
    ["c", 3],
    ["a", 9],
  ]);
  expect(after.counts).toEqual({ open: 2 });
});

test("samples are kept for five minutes", () => {
  const sample = { at, receivedBytes: 1, durableBytes: 1, writers: 1 };
  const samples = Array.from({ length: 301 }, () => sample);
  expect(applyChange(before, { samples }).samples).toHaveLength(300);
});
