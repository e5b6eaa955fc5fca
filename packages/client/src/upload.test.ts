import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UploadOptions, UploadProgress, UploadState } from "./index.ts";
import { FileResumeStore, nodePlatform, upload } from "./index.ts";
import { answering, FakeGraph, json } from "./testing/fake-graph.ts";
import { failureOf, optionsFor } from "./testing/upload-case.ts";

const size = 3 * 1024 * 1024 + 17;
const content = randomBytes(size);
let directory: string;
let file: string;
let fake: FakeGraph;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-client-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  fake = await FakeGraph.listen();
  file = join(directory, "film.mp4");
  await writeFile(file, content);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

const options = (more: Partial<UploadOptions> = {}) => optionsFor(fake, more);

describe("an undisturbed upload", () => {
  test("sends the file in one request and answers the whole handle, newlines and all", async () => {
    const result = await upload(file, options());
    expect(result.handle).toBe(fake.handle);
    expect(result.handle).toContain("\n");
    expect(fake.kept.equals(content)).toBe(true);
    expect(result).toMatchObject({ id: fake.id, bytes: size, resumedFrom: 0, retries: 0 });
    expect(fake.requests).toHaveLength(2);
  });

  test("pastes the id as it is, and tells token, offset and length in headers", async () => {
    await upload(file, options());
    expect(fake.requests[1]).toBe(`POST /v21.0/${fake.id}@0`);
    expect(fake.headers[1]).toMatchObject({
      authorization: `OAuth ${fake.token}`,
      file_offset: "0",
      "content-length": String(size),
    });
    expect(fake.requests.join()).not.toContain(fake.token);
  });

  test("speaks Graph where that is said by its name, too", async () => {
    const { handle } = await upload(file, options({ dialect: "graph" }));
    expect(handle).toBe(fake.handle);
  });

  test("sends parts of chunkSize when it is given", async () => {
    await upload(file, options({ chunkSize: 1024 * 1024 }));
    expect(fake.requests.slice(1).map((request) => request.split("@")[1])).toEqual([
      "0",
      "1048576",
      "2097152",
      "3145728",
    ]);
    expect(fake.kept.equals(content)).toBe(true);
  });

  test("takes bytes, blobs and open files as well as paths", async () => {
    for (const source of [content, new Blob([content]), new File([content], "x.mp4")]) {
      await upload(source, options());
      expect(fake.kept.equals(content)).toBe(true);
    }
  });

  test("tells a recording's media type without its parameters", async () => {
    await upload(new Blob([content], { type: "video/webm;codecs=vp8" }), options());
    expect(fake.requests[0]).toMatch(/file_type=video%2Fwebm$/);
  });

  test("tells progress up to the length and states up to done", async () => {
    const progress: UploadProgress[] = [];
    const states: UploadState["kind"][] = [];
    const task = upload(
      file,
      options({ onProgress: (at) => progress.push(at), onState: ({ kind }) => states.push(kind) }),
    );
    await task;
    expect(progress.at(-1)).toMatchObject({ sent: size, confirmed: size, length: size });
    expect(states).toEqual(["starting", "uploading", "done"]);
    expect(task.state.kind).toBe("done");
  });

  test("asks for the offset when a server accepts a part without saying how far it is", async () => {
    fake.appendFaults.push(async (scene) => {
      await scene.fake.keep(scene.request);
      json(scene.response, 200, { id: scene.fake.id });
      return true;
    });
    await upload(file, options({ chunkSize: 1024 * 1024 }));
    expect(fake.kept.equals(content)).toBe(true);
  });
});

describe("options", () => {
  test("an unknown option is refused with the one that was meant", () => {
    const wrong = { ...options(), chunksize: 5 };
    expect(() => upload(file, wrong)).toThrow('there is no option "chunksize"');
  });

  test.each(["None", "undefined", "", "+49 170", "12a"])("app id %j is refused", (appId) => {
    expect(() => upload(file, options({ appId }))).toThrow(/appId is/);
  });

  test("a name with half a surrogate pair, which no request can carry, is refused", () => {
    expect(() => upload(file, options({ name: "\ud83d.pdf" }))).toThrow(/name is/);
  });

  test("a token with its scheme or a line break is refused", () => {
    for (const token of ["OAuth abc", "abc\n"]) {
      const hint = expect.stringMatching(/without its scheme or a line break/) as unknown;
      const error = expect.objectContaining({ code: "invalid-option", hint }) as Error;
      expect(() => upload(file, options({ token }))).toThrow(error);
    }
  });

  test("an empty file is refused before anything is sent", async () => {
    expect((await failureOf(upload(new Uint8Array(), options()))).message).toMatch(/empty/);
    expect(fake.requests).toEqual([]);
  });

  test("a missing file is told of by its path", async () => {
    const error = await failureOf(upload(join(directory, "none.pdf"), options()));
    expect(error.code).toBe("source-unreadable");
    expect(error.message).toMatch(/none\.pdf: there is no such file/);
  });

  test("early warnings tell of a wrong type, a foreign token and sizes others refuse", async () => {
    const codes: string[] = [];
    const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(6 << 20)]);
    await upload(png, {
      ...options({ type: "image/jpeg", token: "99|secret" }),
      onWarning: ({ code }) => codes.push(code),
    });
    expect(codes).toEqual(["type-disagrees", "size-advice", "app-disagrees"]);
  });

  test("a failing resume store is told of and does not stop the upload", async () => {
    const codes: string[] = [];
    await writeFile(join(directory, "blocked"), "");
    const resumeStore = new FileResumeStore(join(directory, "blocked"));
    await upload(file, options({ resumeStore, onWarning: ({ code }) => codes.push(code) }));
    expect(codes).toContain("forgetful");
  });

  test("a platform can be replaced in parts", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      sleep: (waitMs: number) => {
        waits.push(waitMs);
        return Promise.resolve();
      },
    };
    fake.startFaults.push(answering(500, {}), answering(500, {}));
    const patient = options({ retry: { waitMs: 60_000, waitMsMax: 100_000 } });
    await upload(file, patient, { ...nodePlatform, clock, random: () => 0.5 });
    expect(waits).toEqual([45_000, 75_000]);
  });
});
