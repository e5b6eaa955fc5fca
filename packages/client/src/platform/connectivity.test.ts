import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Platform, UploadOptions, UploadState } from "../index.ts";
import { nodePlatform, upload } from "../index.ts";
import type { NodeInput } from "../index.ts";
import { answering, cutAfter, FakeGraph } from "../testing/fake-graph.ts";
import { failureOf, optionsFor } from "../testing/upload-case.ts";
import { alwaysOnline, browserConnectivity } from "./connectivity.ts";

/** A window whose network is plugged in and out by hand. */
class Scope extends EventTarget {
  readonly navigator = { onLine: true };

  plug(onLine: boolean): void {
    this.navigator.onLine = onLine;
    this.dispatchEvent(new Event(onLine ? "online" : "offline"));
  }
}

type Retrying = Extract<UploadState, { readonly kind: "retrying" }>;

const content = randomBytes(200_000);
let fake: FakeGraph;
let scope: Scope;
let platform: Platform<NodeInput>;

beforeEach(async () => {
  fake = await FakeGraph.listen();
  scope = new Scope();
  platform = { ...nodePlatform, connectivity: browserConnectivity(scope) };
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

/** Uploads, and lets the test act on each retry. */
function uploadWatched(more: Partial<UploadOptions>, onRetry: (state: Retrying) => void) {
  const onState = (state: UploadState) => {
    if (state.kind === "retrying") onRetry(state);
  };
  return upload(content, optionsFor(fake, { ...more, onState }), platform);
}

describe("a machine without network", () => {
  test("is waited for, and uses up no patience", async () => {
    const reasons: string[] = [];
    fake.appendFaults.push(
      ...Array.from({ length: 5 }, (_, index) => cutAfter(index === 0 ? 9 : 0)),
    );
    scope.plug(false);
    const result = await uploadWatched({ retry: { attempts: 1 } }, ({ reason, failures }) => {
      reasons.push(`${reason} ${failures}`);
      setTimeout(() => {
        // It comes back and goes away again at once: one try each time.
        scope.plug(true);
        scope.plug(false);
      }, 5);
    });
    expect(reasons).toEqual(Array.from({ length: 5 }, () => "offline 0"));
    expect(result.retries).toBe(5);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("is no reason to wait when the server answers all the same", async () => {
    scope.plug(false);
    fake.startFaults.push(answering(500, {}));
    const error = await failureOf(uploadWatched({ retry: { attempts: 1 } }, () => undefined));
    expect(error.code).toBe("server-trouble");
  });

  test("is tried again after half a minute even if it never says that it is back", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      sleep: (waitMs: number) => {
        waits.push(waitMs);
        return Promise.resolve();
      },
    };
    platform = { ...platform, clock };
    scope.plug(false);
    fake.appendFaults.push(cutAfter(10), cutAfter(10));
    await uploadWatched({ retry: { attempts: 1 } }, () => undefined);
    expect(waits).toEqual([30_000, 30_000]);
  });

  test("can be given up on", async () => {
    scope.plug(false);
    fake.appendFaults.push(cutAfter(10));
    const task = uploadWatched({}, () => {
      setTimeout(() => {
        task.abort();
      }, 5);
    });
    expect((await failureOf(task)).code).toBe("aborted");
  });
});

describe("a network that comes back", () => {
  const long = { waitMs: 600_000, waitMsMax: 600_000, attempts: 3 };

  test("ends a wait of the client's own choosing", async () => {
    const waits: number[] = [];
    fake.startFaults.push(answering(503, {}));
    await uploadWatched({ retry: long }, ({ waitMs }) => {
      waits.push(waitMs);
      setTimeout(() => {
        scope.plug(true);
      }, 5);
    });
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(300_000);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("does not end a wait that the server asked for", async () => {
    fake.startFaults.push(answering(503, { backoff: 600_000 }));
    const task = uploadWatched({ retry: long }, () => {
      setTimeout(() => {
        scope.plug(true);
        setTimeout(() => {
          task.abort();
        }, 30);
      }, 5);
    });
    expect((await failureOf(task)).code).toBe("aborted");
    expect(fake.requests).toHaveLength(1);
  });
});

test("Node is always online, and never comes online", async () => {
  expect(alwaysOnline.isOnline()).toBe(true);
  const controller = new AbortController();
  const waiting = alwaysOnline.untilOnline(controller.signal);
  controller.abort();
  expect((await failureOf(waiting)).code).toBe("aborted");
});
