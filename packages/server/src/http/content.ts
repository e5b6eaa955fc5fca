import type { Exchange } from "./exchange.ts";

/** Bytes that do not change, and what is said of them. */
export interface Content {
  readonly headers: Readonly<Record<string, string>>;
  /** With its quotes. */
  readonly etag: string;
  readonly size: number;
  /** Bytes [from, to). */
  readonly read: (range: {
    readonly from: number;
    readonly to: number;
  }) => AsyncIterable<Uint8Array>;
}

type Range =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly from: number; readonly to: number }
  | { readonly kind: "unsatisfiable" };

/** Answers a GET or HEAD with all of it, the range that was asked for, or that it is known. */
export async function answerContent(exchange: Exchange, content: Content): Promise<void> {
  const { etag, size } = content;
  const headers = { ...content.headers, "Accept-Ranges": "bytes", ETag: etag };
  if (isKnown(exchange, etag)) {
    await exchange.respond({ status: 304, headers });
    return;
  }
  const range = rangeOf(wantedRange(exchange, etag), size);
  if (range.kind === "unsatisfiable") {
    const place = { "Content-Range": `bytes */${size}` };
    await exchange.respond({ status: 416, headers: { ...headers, ...place } });
    return;
  }
  const [from, to] = range.kind === "part" ? [range.from, range.to] : [0, size];
  const partHeaders =
    range.kind === "part" ? { "Content-Range": `bytes ${from}-${to - 1}/${size}` } : {};
  await exchange.stream({
    status: range.kind === "part" ? 206 : 200,
    headers: { ...headers, ...partHeaders },
    length: to - from,
    chunks: content.read({ from, to }),
  });
}

/** A Range is GET's alone, and only of the bytes that the client has a part of (RFC 9110, 14.2). */
function wantedRange(exchange: Exchange, etag: string): string | undefined {
  const ifRange = exchange.header("if-range");
  const isWanted = exchange.method === "GET" && (ifRange === undefined || ifRange === etag);
  return isWanted ? exchange.header("range") : undefined;
}

/** Whether the client says that it has it already. */
export function isKnown(exchange: Exchange, etag: string): boolean {
  const header = exchange.header("if-none-match");
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

/** What keeps a browser from taking somebody's file for a page of ours (RFC 6266, RFC 8187). */
export function fileHeaders(
  name: string,
  disposition: "inline" | "attachment",
): Record<"Content-Disposition", string> & Record<string, string> {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  // What encodeURIComponent leaves alone but the grammar does not.
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return {
    "Content-Disposition": `${disposition}; filename="${plain}"; filename*=UTF-8''${encoded}`,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-cache",
  };
}

/** One range of bytes (RFC 9110, section 14.2); several or malformed ones mean the whole. */
function rangeOf(header: string | undefined, size: number): Range {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  const [first, last] = [match?.[1], match?.[2]];
  if (first === undefined || last === undefined || first + last === "") return { kind: "whole" };
  if (first === "") {
    const count = Math.min(Number(last), size);
    return count === 0 ? { kind: "unsatisfiable" } : { kind: "part", from: size - count, to: size };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return { kind: "whole" };
  if (from >= size) return { kind: "unsatisfiable" };
  return { kind: "part", from, to: last === "" ? size : Math.min(Number(last) + 1, size) };
}
