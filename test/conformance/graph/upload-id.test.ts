import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { badSignature, expectUploadError } from "./expect-error.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const idForm = /^upload:([A-Za-z0-9+/]+={0,2})\?sig=(AR[A-Za-z0-9_-]{17})$/;
const payloadForm =
  /^1:attachment:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\?(.*)$/;

function partsOf(id: string): { readonly base64: string; readonly signature: string } {
  const [, base64 = "", signature = ""] = idForm.exec(id) ?? [];
  return { base64, signature };
}

function parametersIn(id: string): [string, string][] {
  const payload = Buffer.from(partsOf(id).base64, "base64").toString();
  return [...new URLSearchParams(payloadForm.exec(payload)?.[1] ?? "")];
}

function changedSignature(id: string): string {
  const last = id.at(-1);
  return `${id.slice(0, -1)}${last === "A" ? "B" : "A"}`;
}

describe("the id of an upload", () => {
  it("is upload: with padded base64 and ?sig= with 19 characters that begin AR", async () => {
    const id = await target().api.start({ file_name: "a name with spaces & more.pdf" });
    expect(id).toMatch(idForm);
    const { base64, signature } = partsOf(id);
    expect(base64.length % 4).toBe(0);
    expect(signature).toHaveLength(19);
    expect(Buffer.from(base64, "base64").toString("base64")).toBe(base64);
  });

  it("carries 1:attachment:, a uuid of version 4 and the parameters url-encoded", async () => {
    const file_name = "größe & = ? + ✓.pdf";
    const id = await target().api.start({ file_name, file_length: 12 });
    const payload = Buffer.from(partsOf(id).base64, "base64").toString();
    expect(payload).toMatch(payloadForm);
    const parameters = new Map(parametersIn(id));
    expect(parameters.get("file_name")).toBe(file_name);
    expect(parameters.get("file_length")).toBe("12");
    expect(parameters.get("file_type")).toBe("application/pdf");
  });

  it("keeps the parameters in the caller's order", async () => {
    const { api } = target();
    const orders = [
      [
        ["file_type", "image/png"],
        ["file_length", "7"],
        ["file_name", "x.png"],
      ],
      [
        ["file_length", "7"],
        ["file_name", "x.png"],
        ["file_type", "image/png"],
      ],
    ] as const;
    for (const order of orders) {
      const answer = await api.startWith([["access_token", api.token], ...order]);
      const names = parametersIn(answer.text("id")).map(([name]) => name);
      expect(names.filter((name) => name.startsWith("file_"))).toEqual(order.map(([name]) => name));
    }
  });

  it("never carries the token or a parameter that was not accepted", async () => {
    const { api } = target();
    const fields = { file_name: "x.pdf", file_length: "7", file_type: "application/pdf" };
    const unknown = { not_a_parameter: "1", access_token: api.token };
    const id = (await api.startWith({ ...fields, ...unknown })).text("id");
    const payload = Buffer.from(partsOf(id).base64, "base64").toString();
    expect(payload).not.toContain("not_a_parameter");
    expect(payload).not.toContain("access_token");
    expect(payload).not.toContain(api.token);
  });

  it("is different for each upload", async () => {
    const { api } = target();
    expect(await api.start()).not.toBe(await api.start());
  });

  it("is accepted with its reserved characters percent-encoded", async () => {
    const { api } = target();
    // Three tildes in a row put a + into the base64 where the name is not encoded any further.
    const id = await api.start({ file_name: "~~~.pdf" });
    const { base64, signature } = partsOf(id);
    const encoded = base64.replaceAll("=", "%3D").replaceAll("+", "%2B").replaceAll("/", "%2F");
    const spellings = [
      `upload%3A${base64}?sig=${signature}`,
      `upload%3a${base64}?sig=${signature}`,
      `upload:${encoded}?sig=${signature}`,
      `upload:${base64}%3Fsig=${signature}`,
      encodeURIComponent(id),
      encodeURIComponent(id).replaceAll("%3A", "%3a").replaceAll("%3D", "%3d"),
    ];
    for (const spelling of spellings) {
      const answer = await api.get(`/v21.0/${spelling}`);
      expect(answer.status, `${spelling}: ${answer.body.toString()}`).toBe(200);
      expect(answer.json).toEqual({ id, file_offset: 0 });
    }
  });

  it("is accepted encoded when bytes are sent, too", async () => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.authorized({
      method: "POST",
      path: `/v21.0/${encodeURIComponent(id)}`,
      headers: { file_offset: "0" },
      body: patternBytes({ seed: 1, length: 4 }),
    });
    expect(answer.json).toEqual({ id, file_offset: 4 });
  });

  it("may be followed by further parameters with &", async () => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.get(`/v21.0/${id}&unknown=1`);
    expect(answer.json).toEqual({ id, file_offset: 0 });
  });

  it("may be encoded and still be followed by further parameters with &", async () => {
    const { api } = target();
    const id = await api.start();
    const told = { id, file_offset: 0, file_length: 10, status: "open" };
    for (const rest of ["&fields=file_length,status", "?fields=file_length%2Cstatus"]) {
      const answer = await api.get(`/v21.0/${encodeURIComponent(id)}${rest}`);
      expect(answer.json, rest).toEqual(told);
    }
    const twice = await api.get(`/v21.0/${encodeURIComponent(id)}&fields=crc32?fields=status`);
    expect(twice.status).toBe(400);
  });
});

describe("an id whose signature is bad or lost", () => {
  it("is refused by GET with the HMAC message, which repeats what was sent", async () => {
    const { api } = target();
    const id = changedSignature(await api.start());
    const { base64, signature } = partsOf(id);
    const answer = await api.status(id);
    expectUploadError(answer, badSignature);
    const { message } = answer.record("error");
    expect(message).toBe(`HMAC check failed! sessionId=upload:${base64} mac=${signature}`);
  });

  it("is refused by POST before the offset is judged, and changes nothing", async () => {
    const { api } = target();
    const id = await api.start();
    const bytes = patternBytes({ seed: 1, length: 10 });
    const answer = await api.append({ id: changedSignature(id), offset: 99, bytes });
    expectUploadError(answer, badSignature);
    expect(await api.offset(id)).toBe(0);
  });

  it("is refused by DELETE, and the upload lives on", async () => {
    const { api } = target();
    const id = await api.start();
    const path = `/v21.0/${changedSignature(id)}`;
    expectUploadError(await api.delete(path), badSignature);
    expect(await api.offset(id)).toBe(0);
  });

  it("is refused when ?sig= is lost", async () => {
    const { api } = target();
    const { base64 } = partsOf(await api.start());
    const answer = await api.status(`upload:${base64}`);
    expectUploadError(answer, badSignature);
    const { message } = answer.record("error");
    expect(message).toContain(`sessionId=upload:${base64} mac=`);
  });

  it("is refused when the padding was lost on the way", async () => {
    const { api } = target();
    // Names of different lengths, until one gives an id that has padding to lose.
    for (const file_name of ["a.pdf", "ab.pdf", "abc.pdf"]) {
      const { base64, signature } = partsOf(await api.start({ file_name }));
      if (!base64.endsWith("=")) continue;
      const answer = await api.status(`upload:${base64.replaceAll("=", "")}?sig=${signature}`);
      expectUploadError(answer, badSignature);
    }
  });

  it("is refused before any look-up: another upload's payload gives the same answer", async () => {
    const { api } = target();
    const { signature } = partsOf(await api.start());
    const payload = "1:attachment:00000000-0000-4000-8000-000000000000?file_length=10";
    const base64 = Buffer.from(payload).toString("base64");
    for (const forged of [base64, "not+base64/of+ours=", "AAAA"]) {
      expectUploadError(await api.status(`upload:${forged}?sig=${signature}`), badSignature);
    }
    const second = partsOf(await api.start());
    expectUploadError(await api.status(`upload:${second.base64}?sig=${signature}`), badSignature);
  });

  it.for(["AR", "", "ARAAAAAAAAAAAAAAAAA", `AR${"A".repeat(500)}`, "%00%ff"])(
    "is refused for the signature %j",
    async (signature) => {
      const { api } = target();
      const { base64 } = partsOf(await api.start());
      expectUploadError(await api.status(`upload:${base64}?sig=${signature}`), badSignature);
    },
  );
});
