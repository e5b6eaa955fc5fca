import type { HeaderLine, RawAddress, RawRequestHead } from "./raw-http.ts";

/** In whose words a request is. All of them mean the same uploads. */
export const dialects = ["graph", "tus", "ietf"] as const;
export type Dialect = (typeof dialects)[number];

/** The collection of each dialect, and who asks there. */
export interface WireClient extends RawAddress {
  readonly appId: string;
  readonly token: string;
}

export interface WireAppend {
  readonly dialect: Dialect;
  /** Graph's id of the upload, whoever created it: the others' id is in it. */
  readonly id: string;
  readonly from: number;
  /** Of the body, as it is announced. */
  readonly length: number;
  /** Whether its last byte is the upload's. Only the IETF's dialect has a word for that. */
  readonly isLast: boolean;
  /** The whole length, said along with the bytes where it was not known before. */
  readonly uploadLength?: number | undefined;
  /** Ask to be told when the body is wanted. */
  readonly expectsContinue?: boolean;
}

export interface WireCreation {
  readonly dialect: Dialect;
  /** Undefined where it is not known yet, which Graph has no word for. */
  readonly length: number | undefined;
}

const fileName = "fault.pdf";
const mediaType = "application/pdf";
const tusVersion: HeaderLine = ["Tus-Resumable", "1.0.0"];

/** The UUID that the standard protocols name an upload by, from Graph's id of it. */
export function uuidOf(graphId: string): string {
  const payload = /^upload:([^?]*)\?/.exec(graphId)?.[1] ?? "";
  const text = Buffer.from(payload, "base64").toString();
  const uuid = /^1:attachment:([0-9a-f-]{36})\?/.exec(text)?.[1];
  if (uuid === undefined) throw new Error(`no id of an upload: ${graphId}`);
  return uuid;
}

export function authorizationOf(dialect: Dialect, token: string): HeaderLine {
  return ["Authorization", `${dialect === "graph" ? "OAuth" : "Bearer"} ${token}`];
}

/** An append without its bytes, and without what says where and who. */
export function appendRequest(append: WireAppend): RawRequestHead {
  const { dialect, id, from, length, isLast, uploadLength, expectsContinue = false } = append;
  const framing: HeaderLine[] = [["Content-Length", `${length}`]];
  if (expectsContinue) framing.push(["Expect", "100-continue"]);
  const whole: HeaderLine[] =
    uploadLength === undefined ? [] : [["Upload-Length", `${uploadLength}`]];
  switch (dialect) {
    case "graph":
      return graphHead("POST", id, [["file_offset", `${from}`], ...framing]);
    case "tus":
      return standardHead("PATCH", id, [
        tusVersion,
        ["Content-Type", "application/offset+octet-stream"],
        ["Upload-Offset", `${from}`],
        ...whole,
        ...framing,
      ]);
    case "ietf":
      return standardHead("PATCH", id, [
        ["Content-Type", "application/partial-upload"],
        ["Upload-Offset", `${from}`],
        ["Upload-Complete", isLast ? "?1" : "?0"],
        ...whole,
        ...framing,
      ]);
  }
}

/** Begins an upload without a byte of it. */
export function creationRequest({ dialect, length }: WireCreation, appId: string): RawRequestHead {
  const empty: HeaderLine = ["Content-Length", "0"];
  const method = "POST";
  switch (dialect) {
    case "graph": {
      if (length === undefined) throw new Error("Graph cannot leave a length open");
      const words = { file_name: fileName, file_length: `${length}`, file_type: mediaType };
      const path = `/v21.0/${appId}/uploads?${new URLSearchParams(words).toString()}`;
      return { method, path, headers: [empty] };
    }
    case "tus": {
      const metadata = `filename ${base64(fileName)},filetype ${base64(mediaType)}`;
      const known: HeaderLine =
        length === undefined ? ["Upload-Defer-Length", "1"] : ["Upload-Length", `${length}`];
      const headers = [tusVersion, known, ["Upload-Metadata", metadata], empty] as const;
      return { method, path: "/uploads", headers };
    }
    case "ietf": {
      const known: HeaderLine[] = length === undefined ? [] : [["Upload-Length", `${length}`]];
      const type: HeaderLine = ["Content-Type", mediaType];
      const open: HeaderLine = ["Upload-Complete", "?0"];
      return { method, path: "/uploads", headers: [type, open, ...known, empty] };
    }
  }
}

/** Asks where an upload stands. */
export function statusRequest(dialect: Dialect, id: string): RawRequestHead {
  if (dialect === "graph") return graphHead("GET", id, []);
  return standardHead("HEAD", id, dialect === "tus" ? [tusVersion] : []);
}

/** A request's head as it goes over the wire, with what says where and who. */
export function headBytes(
  { host, port, token }: Omit<WireClient, "appId">,
  dialect: Dialect,
  { method, path, headers = [] }: RawRequestHead,
): Buffer {
  const all = [["Host", `${host}:${port}`], authorizationOf(dialect, token), ...headers] as const;
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, "latin1");
}

function graphHead(method: string, id: string, headers: readonly HeaderLine[]): RawRequestHead {
  return { method, path: `/v21.0/${id}`, headers };
}

function standardHead(method: string, id: string, headers: readonly HeaderLine[]): RawRequestHead {
  return { method, path: `/uploads/${uuidOf(id)}`, headers };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
