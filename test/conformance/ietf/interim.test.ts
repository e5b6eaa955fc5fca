import { describe, expect, it } from "vitest";

import { graphIdIn } from "../../support/dialect-answer.ts";
import { eventually } from "../../support/eventually.ts";
import { headerValue } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectTaken } from "./expect-answer.ts";
import { givenUrl } from "./given-server.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions, newest } from "./versions.ts";

const target = useIetfTarget();

const length = 300_000;
const whole = patternBytes({ seed: 40, length });

describe.each(interopVersions)("interim answers, interop $interop", (version) => {
  it("begin with the upload's URL and limits, and name the version that was asked for", async (context) => {
    await target().informing(context);
    const api = target().at(version);
    const answer = await api.create({ bytes: whole, complete: true });
    const [announcement, ...progress] = answer.interim;
    expect(announcement?.status).toBe(104);
    expect(announcement?.headers.location).toBe(answer.location);
    for (const interim of answer.interim) {
      expect(interim.headers["upload-draft-interop-version"]).toBe(`${version.interop}`);
    }
    const limits = announcement?.headers["upload-limit"];
    if (version.lifetimeKey === undefined) expect(limits).toBeUndefined();
    else if (givenUrl === undefined) expect(limits).toContain("max-size=");
    if (!version.progress) expect(progress).toEqual([]);
  });

  it("of an append tell no URL", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole, complete: true });
    // Whether to send any is a server's own choice.
    if (givenUrl === undefined) expect(answer.interim.length > 0).toBe(version.progress);
    for (const interim of answer.interim) {
      expect(interim.status).toBe(104);
      expect(interim.headers.location).toBeUndefined();
      expect(interim.headers["upload-draft-interop-version"]).toBe(`${version.interop}`);
    }
  });

  it("tell durable offsets while the content comes, where the draft has that", async (context) => {
    target().hawser(context);
    const api = target().at(version);
    const created = await api.create({ length });
    using connection = await target().begin(context, {
      method: "PATCH",
      url: created.location,
      headers: {
        ...api.interop,
        ...api.patchType,
        ...api.flag(true),
        "Upload-Offset": "0",
        "Content-Length": `${length}`,
      },
    });
    await connection.write(whole.subarray(0, 200_000));
    // Graph's status leaves the append alone, unlike the retrieval of an offset here.
    const durable = async () => {
      const told = await target().offsetAside(created);
      return told === 0 ? undefined : told;
    };
    const offset = await eventually(durable, { what: "the first bytes to be durable" });
    if (!version.progress) {
      expect(connection.received).toHaveLength(0);
      return;
    }
    const interim = await connection.readInterim();
    expect(interim?.status).toBe(104);
    const told = Number(interim === undefined ? 0 : headerValue(interim, "upload-offset"));
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(200_000);
    expect(offset).toBeGreaterThan(0);
    connection.reset();
    expect(await api.offset(created.location)).toBeGreaterThanOrEqual(told);
  });
});

describe("interim answers", () => {
  it("go to nobody who names no version", async () => {
    const api = target().api.unnamed();
    const answer = await api.create({ bytes: whole, complete: true });
    expectTaken(answer, 201);
    expect(answer.interim).toEqual([]);
  });

  it.for(["2", "11", "ten"])("go to nobody who names the version %s", async (value) => {
    const api = target().api.unnamed();
    const headers = { "Upload-Draft-Interop-Version": value };
    const answer = await api.create({ bytes: whole, complete: true, headers });
    expectTaken(answer, 201);
    expect(answer.interim).toEqual([]);
  });

  it("are announced by the answer to OPTIONS, which names the newest version", async (context) => {
    target().hawser(context);
    const answer = await target().api.unnamed().request({ method: "OPTIONS", url: "/uploads" });
    expect(answer.header("upload-draft-interop-version")).toBe(`${newest.interop}`);
  });

  it("do not take the place of 100, which is sent where it was asked for", async (context) => {
    await target().informing(context);
    const { api } = target();
    const headers = { Expect: "100-continue" };
    const answer = await api.create({ bytes: whole, complete: true, headers });
    expectTaken(answer, 201);
    expect(answer.interim.map(({ status }) => status)).toEqual(expect.arrayContaining([100, 104]));
  });

  it("and 100 both come before the content does", async (context) => {
    await target().informing(context);
    const { api } = target();
    using connection = await target().begin(context, {
      method: "POST",
      url: target().api.url.href,
      headers: {
        ...api.interop,
        ...api.flag(true),
        "Content-Type": "application/pdf",
        "Content-Length": `${length}`,
        Expect: "100-continue",
      },
    });
    const both = (): true | undefined => {
      const text = connection.received.toString("latin1");
      return text.includes("HTTP/1.1 104 ") && text.includes("HTTP/1.1 100 ") ? true : undefined;
    };
    await eventually(both, { what: "104 and 100" });
    await connection.write(whole);
    const answer = await connection.answer();
    expect(answer.status).toBeLessThan(300);
    expect(answer.interim.map(({ status }) => status)).toEqual(expect.arrayContaining([100, 104]));
  });

  it("go to no client of HTTP/1.0, which has none", async (context) => {
    const { api } = target();
    using connection = await target().connect(context);
    const fields = { ...api.authorization, ...api.interop, ...api.flag(true) };
    const headers = { ...fields, "Content-Type": "application/pdf", "Content-Length": "3" };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const { pathname, host } = api.url;
    await connection.write(`POST ${pathname} HTTP/1.0\r\nHost: ${host}\r\n`);
    await connection.write(`${lines.join("")}\r\nabc`);
    const answer = await connection.answer();
    expect(answer.status).toBeLessThan(300);
    expect(answer.interim).toEqual([]);
  });

  it("let a creation that was cut go on from what it had brought", async (context) => {
    await target().informing(context);
    const { api } = target();
    using connection = await target().begin(context, {
      method: "POST",
      url: target().api.url.href,
      headers: {
        ...api.interop,
        ...api.flag(true),
        "Content-Type": "application/pdf",
        "Content-Length": `${length}`,
      },
    });
    const interim = await connection.readInterim();
    const url = interim === undefined ? "" : (headerValue(interim, "location") ?? "");
    expect(interim?.status).toBe(104);
    await connection.write(whole.subarray(0, 123_456));
    connection.close();
    const link = interim === undefined ? "" : (headerValue(interim, "link") ?? "");
    const announced = {
      get graphId() {
        return graphIdIn(link);
      },
    };
    // HEAD would end the request, maybe before all of it has arrived.
    const moved = async () => {
      const told = (await target().offsetAside(announced)) ?? (await api.offset(url));
      return told === 123_456 ? true : undefined;
    };
    await eventually(moved, { what: "the bytes before the cut to count" });
    const rest = { bytes: whole.subarray(123_456), complete: true };
    expectTaken(await api.append(url, 123_456, rest), 201);
  });
});
