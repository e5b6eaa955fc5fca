import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, invalidHandle } from "./expect-error.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const ten = patternBytes({ seed: 31, length: 10 });
const handleForm =
  /^4:([A-Za-z0-9+/]*={0,2}):([A-Za-z0-9+/]+={0,2}):(AR[A-Za-z0-9_-]{108}):e:(\d+):(\d+):(\d+):(AR[A-Za-z0-9_-]{17})$/;
const fourDaysSeconds = 4 * 24 * 60 * 60;

interface HandleParts {
  readonly name: string;
  readonly type: string;
  readonly expiry: number;
  readonly appId: string;
}

function partsOf(handle: string): HandleParts {
  const [, name = "", type = "", , expiry = "", appId = ""] = handleForm.exec(handle) ?? [];
  return {
    name: Buffer.from(name, "base64").toString(),
    type: Buffer.from(type, "base64").toString(),
    expiry: Number(expiry),
    appId,
  };
}

async function expectInvalid(handle: string, api = target().api): Promise<void> {
  const answer = await api.postForm(`/v21.0/${api.appId}/files`, { handle });
  expectGraphError(answer, invalidHandle);
  const { error_user_title } = answer.record("error");
  expect(error_user_title).toBe("Uploaded media handle is invalid");
}

describe("a handle", () => {
  it("is one line of the nine components, whatever the length of the file", async () => {
    const { api } = target();
    for (const length of [1, 3_000_000]) {
      const handle = await api.upload(patternBytes({ seed: 32, length }));
      expect(handle).toMatch(handleForm);
      expect(handle).not.toContain("\n");
    }
  });

  it("carries the file's name, or nothing, and its type", async () => {
    const fields = { file_name: "größe ✓.png", file_type: "image/png" };
    const { name, type } = partsOf(await target().api.upload(ten, fields));
    expect(["", fields.file_name]).toContain(name);
    expect(type).toBe("image/png");
  });

  it("names the app, and an expiry that lies ahead", async () => {
    const { api } = target();
    const { appId, expiry } = partsOf(await api.upload(ten));
    expect(appId).toBe(api.appId);
    expect(expiry).toBeGreaterThan(Date.now() / 1000);
  });

  it("expires four days after the file was stored, unless the operator says otherwise", async (context) => {
    const { api } = target();
    target().ownServer(context);
    const before = Math.floor(Date.now() / 1000);
    const { expiry } = partsOf(await api.upload(ten));
    const after = Math.ceil(Date.now() / 1000);
    expect(expiry).toBeGreaterThanOrEqual(before + fourDaysSeconds);
    expect(expiry).toBeLessThanOrEqual(after + fourDaysSeconds + 1);
  });

  it("is its own for every upload, even of the same bytes", async () => {
    const { api } = target();
    expect(await api.upload(ten)).not.toBe(await api.upload(ten));
  });

  it("is what status gives, and stays the same however often it is asked for", async () => {
    const { api } = target();
    const id = await api.start();
    const handle = (await api.append({ id, offset: 0, bytes: ten })).text("h");
    expect((await api.status(id, "h")).text("h")).toBe(handle);
    expect((await api.status(id, "h")).text("h")).toBe(handle);
  });
});

describe("a handle that was tampered with", () => {
  /** The same handle with one component replaced. */
  function replaced(handle: string, index: number, change: (part: string) => string): string {
    return handle
      .split(":")
      .map((part, at) => (at === index ? change(part) : part))
      .join(":");
  }

  const flipLast = (part: string): string =>
    `${part.slice(0, -1)}${part.endsWith("A") ? "B" : "A"}`;
  const flipMiddle = (part: string): string => {
    const at = Math.floor(part.length / 2);
    return `${part.slice(0, at)}${part[at] === "x" ? "y" : "x"}${part.slice(at + 1)}`;
  };
  const nextNumber = (part: string): string => `${BigInt(part) + 1n}`;
  const base64 = (text: string) => (): string => Buffer.from(text).toString("base64");

  const changes = [
    ["generation", 0, () => "2"],
    ["file name", 1, base64("another.pdf")],
    ["file type", 2, base64("text/html")],
    ["first character of its body", 3, (part: string) => `AS${part.slice(2)}`],
    ["middle of its body", 3, flipMiddle],
    ["marker before the expiry", 4, () => "f"],
    ["expiry", 5, nextNumber],
    ["app id", 6, nextNumber],
    ["user id", 7, nextNumber],
    ["middle of its signature", 8, flipMiddle],
    ["length of its signature", 8, (part: string) => part.slice(0, -1)],
  ] as const;

  it.for(changes)("in its %s is refused", async ([, index, change]) => {
    const handle = await target().api.upload(ten);
    await expectInvalid(replaced(handle, index, change));
  });

  it("by mixing two good ones is refused", async () => {
    const { api } = target();
    const one = (await api.upload(ten)).split(":");
    const two = (await api.upload(ten)).split(":");
    await expectInvalid([...one.slice(0, 3), ...two.slice(3, 4), ...one.slice(4)].join(":"));
    await expectInvalid([...one.slice(0, 8), ...two.slice(8)].join(":"));
  });

  it("so that nothing but its last bits differ is refused or is the same bytes", async () => {
    const { api } = target();
    const handle = await api.upload(ten);
    // 19 characters hold 114 bits for 112: only a decoder that checks the spare bits refuses this.
    const answer = await api.postForm(`/v21.0/${api.appId}/files`, {
      handle: replaced(handle, 8, flipLast),
    });
    expect([200, 400]).toContain(answer.status);
  });

  const garbage = [
    "",
    " ",
    "4:",
    "4:::AR:e:1:1:1:AR",
    "2:c2FtcGxl...",
    "undefined",
    "1234567890123",
  ];
  it.for([...garbage, ":".repeat(8), "A".repeat(20_000), "4:é:✓:\u0000"])(
    "to %j is refused and is never a server error",
    async (handle) => {
      const { api } = target();
      const answer = await api.postJson(`/v21.0/${api.appId}/files`, { handle });
      expect(answer.status).toBe(400);
      expect(answer.record("error").code).toBe(100);
    },
  );
});

describe("a handle is bound", () => {
  it("to a complete upload: an id or a number in its place is refused", async () => {
    const { api } = target();
    await expectInvalid(await api.start());
  });

  it("to its app: another app cannot publish it", async (context) => {
    const { api } = target();
    const other = await target().secondApp(context);
    const handle = await api.upload(ten);
    await expectInvalid(handle, other);
    expect(await api.publish(handle)).toMatch(/^\d+$/);
    await expectInvalid(await other.upload(ten));
  });

  it("to its file: once that is deleted the handle is invalid", async () => {
    const { api } = target();
    const handle = await api.upload(ten);
    await api.delete(`/v21.0/${await api.publish(handle)}`);
    await expectInvalid(handle);
  });
});
