import { createHash } from "node:crypto";

import { uuidOf } from "../support/dialect-wire.ts";
import type { HeaderLine } from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { fodderUploadLength } from "./hostile-setting.ts";
import { draft, type Maker, type RequestDraft, type Template, uploadOf } from "./request-draft.ts";

const collection = "/uploads";
const tusVersion: HeaderLine = ["Tus-Resumable", "1.0.0"];
const offsetType: HeaderLine = ["Content-Type", "application/offset+octet-stream"];
const partType: HeaderLine = ["Content-Type", "application/partial-upload"];
const pdfType: HeaderLine = ["Content-Type", "application/pdf"];
const nowhere = "/uploads/00000000-0000-4000-8000-000000000000";

/** One in so many times; else nothing. */
function maybe({ random }: Maker, share: number, line: () => HeaderLine): HeaderLine[] {
  return random.fraction() < share ? [line()] : [];
}

function pathOf(maker: Maker): string {
  return maker.random.fraction() < 0.95 ? `${collection}/${uuidOf(uploadOf(maker))}` : nowhere;
}

function bytesOf({ random }: Maker, lengths: readonly number[]): Buffer {
  return patternBytes({ seed: random.word(), length: random.pick(lengths) });
}

function digestsOf({ random }: Maker, body: Buffer): HeaderLine {
  const right = random.fraction() < 0.6;
  const digest = (name: string): string =>
    createHash(name)
      .update(right ? body : "other bytes")
      .digest("base64");
  return random.pick<HeaderLine>([
    ["Upload-Checksum", `sha1 ${digest("sha1")}`],
    ["Upload-Checksum", `sha256 ${digest("sha256")}`],
    ["Upload-Checksum", `md5 ${digest("md5")}`],
    ["Content-Digest", `sha-256=:${digest("sha256")}:`],
    ["Repr-Digest", `sha-256=:${digest("sha256")}:, sha-512=:${digest("sha512")}:`],
  ]);
}

function tusCreate(maker: Maker): RequestDraft {
  const { random } = maker;
  const body = random.fraction() < 0.5 ? bytesOf(maker, [1, 100, 20_000]) : Buffer.alloc(0);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const length: HeaderLine =
    random.fraction() < 0.7
      ? ["Upload-Length", `${random.pick([0, 1, 100, 20_000, 100_000])}`]
      : ["Upload-Defer-Length", "1"];
  return draft("POST", collection, {
    headers: [
      tusVersion,
      length,
      ...(body.length > 0 ? [offsetType] : []),
      ...maybe(maker, 0.9, () => [
        "Upload-Metadata",
        `filename ${base64(random.pick(["a.pdf", "größe ✓.pdf", "../x"]))},filetype ${base64("application/pdf")},flag`,
      ]),
      ...maybe(maker, 0.3, () => ["Upload-Concat", "partial"]),
      ...maybe(maker, 0.3, () => digestsOf(maker, body)),
    ],
    body,
  });
}

function tusFinal(maker: Maker): RequestDraft {
  const count = maker.random.integer(0, 3);
  const urls = Array.from({ length: count }, () => pathOf(maker));
  return draft("POST", collection, {
    headers: [tusVersion, ["Upload-Concat", `final;${urls.join(" ")}`]],
  });
}

function tusAppend(maker: Maker): RequestDraft {
  const { random } = maker;
  const offset = random.fraction() < 0.6 ? 0 : random.integer(0, fodderUploadLength);
  const left = fodderUploadLength - offset;
  const body = bytesOf(maker, [0, 1, 100, left, left + 1]);
  const length = random.pick([offset + body.length, fodderUploadLength, 0]);
  return draft("PATCH", pathOf(maker), {
    headers: [
      tusVersion,
      offsetType,
      ["Upload-Offset", `${offset}`],
      ...maybe(maker, 0.2, () => ["Upload-Length", `${length}`]),
      ...maybe(maker, 0.4, () => digestsOf(maker, body)),
      ...maybe(maker, 0.1, () => ["Trailer", "Upload-Checksum"]),
    ],
    body,
  });
}

function tusOther(maker: Maker): RequestDraft {
  const { random } = maker;
  const method = random.pick(["HEAD", "HEAD", "DELETE", "OPTIONS", "GET"]);
  return draft(method, random.fraction() < 0.9 ? pathOf(maker) : collection, {
    headers: [tusVersion],
  });
}

/** Which of the versions, and the field that says in its words whether this is all. */
function ietfWords({ random }: Maker, complete: boolean): HeaderLine[] {
  const interop = random.fraction() < 0.2 ? undefined : random.integer(3, 10);
  const field = interop === 3 ? "Upload-Incomplete" : "Upload-Complete";
  const flag: HeaderLine = [field, complete === (interop === 3) ? "?0" : "?1"];
  if (interop === undefined) return [flag];
  return [["Upload-Draft-Interop-Version", `${interop}`], flag];
}

function ietfCreate(maker: Maker): RequestDraft {
  const { random } = maker;
  const body = bytesOf(maker, [0, 1, 100, 20_000]);
  const complete = random.fraction() < 0.5;
  const said = random.pick([body.length, fodderUploadLength, 0]);
  return draft(random.pick(["POST", "POST", "PUT", "PATCH"]), collection, {
    headers: [
      pdfType,
      ...(random.fraction() < 0.9 ? ietfWords(maker, complete) : []),
      ...maybe(maker, 0.3, () => ["Upload-Length", `${said}`]),
      ...maybe(maker, 0.3, () => digestsOf(maker, body)),
      ...maybe(maker, 0.2, () => ["Want-Repr-Digest", "sha-256=1"]),
      ...maybe(maker, 0.3, () => ["Content-Disposition", 'attachment; filename="a \\"b\\".pdf"']),
    ],
    body,
  });
}

function ietfAppend(maker: Maker): RequestDraft {
  const { random } = maker;
  const offset = random.fraction() < 0.6 ? 0 : random.integer(0, fodderUploadLength);
  const left = fodderUploadLength - offset;
  const complete = random.fraction() < 0.4;
  const body = bytesOf(maker, complete ? [left, left, 0, 100] : [0, 1, 100, left, left + 1]);
  return draft("PATCH", pathOf(maker), {
    headers: [
      partType,
      ["Upload-Offset", `${offset}`],
      ...ietfWords(maker, complete),
      ...maybe(maker, 0.2, () => ["Upload-Length", `${fodderUploadLength}`]),
      ...maybe(maker, 0.3, () => digestsOf(maker, body)),
    ],
    body,
  });
}

function ietfOther(maker: Maker): RequestDraft {
  const { random } = maker;
  const method = random.pick(["HEAD", "GET", "GET", "DELETE", "OPTIONS"]);
  return draft(method, random.fraction() < 0.9 ? pathOf(maker) : collection, {
    headers: [
      ...maybe(maker, 0.5, () => ["Upload-Draft-Interop-Version", `${random.integer(2, 11)}`]),
      ...maybe(maker, 0.2, () => ["Want-Repr-Digest", "sha-256=1"]),
    ],
  });
}

/** What a client may do that can send no other methods. */
function overridden(maker: Maker): RequestDraft {
  const made = maker.random.pick([tusAppend, ietfAppend, tusOther, ietfOther])(maker);
  const headers: HeaderLine[] = [["X-HTTP-Method-Override", made.method], ...made.headers];
  return { ...made, method: "POST", headers };
}

/** Every route of the standard protocols, the more delicate ones more often. */
export const standardTemplates: readonly Template[] = [
  tusCreate,
  tusCreate,
  tusFinal,
  tusAppend,
  tusAppend,
  tusAppend,
  tusOther,
  ietfCreate,
  ietfCreate,
  ietfAppend,
  ietfAppend,
  ietfAppend,
  ietfOther,
  overridden,
];
