import type { Exchange } from "../http/exchange.ts";

export interface OutsideAddress {
  /** The outside address, where an operator has set one; else each request's own Host counts. */
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
}

/** The address by which the client reached us, without a trailing slash. */
export function baseUrlOf(exchange: Exchange, { publicUrl, trustProxy }: OutsideAddress): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/$/, "");
  const forwarded = trustProxy ? exchange.header("x-forwarded-proto") : undefined;
  const host =
    (trustProxy ? exchange.header("x-forwarded-host") : undefined) ??
    exchange.header("host") ??
    "localhost";
  return `${forwarded === "https" ? "https" : "http"}://${host}`;
}
