import { expect, test } from "vitest";
import type { StreamEvent } from "./event-stream.ts";
import { readEvents } from "./event-stream.ts";

test("events are read however the bytes are cut, and comments are left out", async () => {
  const text = 'event: snapshot\ndata: {"name":"Törn"}\n\n:\n\nevent: end\ndata: {}\n\n';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 7, bytes.length]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) {
          controller.enqueue(bytes.slice(at, at + size));
        }
        controller.close();
      },
    });
    const events: StreamEvent[] = [];
    for await (const event of readEvents(body, 60_000)) events.push(event);
    expect(events).toEqual([
      { name: "snapshot", data: '{"name":"Törn"}' },
      { name: "end", data: "{}" },
    ]);
  }
});

test("a stream on which nothing comes any more, as when its path has died, is given up", async () => {
  const isCancelled = Promise.withResolvers<undefined>();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("event: snapshot\ndata: {}\n\n"));
    },
    cancel: () => {
      isCancelled.resolve(undefined);
    },
  });
  const events = readEvents(body, 1);
  expect(await events.next()).toMatchObject({ value: { name: "snapshot" } });
  await expect(events.next()).rejects.toThrow("Nothing came");
  await isCancelled.promise;
});
