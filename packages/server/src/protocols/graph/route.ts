import type { Exchange } from "../../http/exchange.ts";

export type Route =
  | {
      readonly kind: "upload";
      /** The base64 part of the id, and its signature, as they came after decoding. */
      readonly payload: string;
      readonly signature: string;
      /** What came with it, behind the encoded id as well as in the query. */
      readonly parameters: URLSearchParams;
      readonly version: string;
    }
  | {
      readonly kind: "node";
      readonly node: string;
      readonly edge: string | undefined;
      readonly version: string;
    };

/** What is taken where a path names no version. */
export const defaultVersion = "v21.0";
const edges =
  /^(uploads|files|content|videos|advideos|whatsapp_business_profile|message_templates)$/;

/** What a request is about, or undefined when it is not Graph's. The version may be left out. */
export function routeOf(exchange: Exchange): Route | undefined {
  if (!exchange.path.startsWith("/")) return undefined;
  const versioned = /^\/(v\d{1,3}\.\d{1,3})(\/.*)?$/.exec(exchange.path);
  const version = versioned?.[1] ?? defaultVersion;
  const rest = (versioned === null ? exchange.path : (versioned[2] ?? "/")).slice(1);
  if (/^upload(:|%3a)/i.test(rest)) return uploadRoute(rest, exchange, version);
  const [node = "", edge, ...more] = rest.replace(/\/$/, "").split("/");
  const isGraph =
    versioned !== null || (edge === undefined ? /^\d+$/.test(node) : edges.test(edge));
  if (!isGraph || node === "admin") return undefined;
  const name = decode(node);
  const tail = [edge, ...more].filter((part) => part !== undefined).join("/");
  return { kind: "node", node: name, edge: tail === "" ? undefined : tail, version };
}

/** The id holds a `?`, a `/` and padding: it is taken from the raw path, encoded or not. */
function uploadRoute(rest: string, exchange: Exchange, version: string): Route {
  const text = decode(rest).slice("upload:".length);
  const mark = text.indexOf("?");
  const inPath = new URLSearchParams(mark === -1 ? "" : text.slice(mark + 1));
  const payload = mark === -1 ? text : text.slice(0, mark);
  const parameters = new URLSearchParams([...inPath, ...exchange.query]);
  const signature = parameters.get("sig") ?? "";
  // A trailing "/" is allowed; base64 of this payload may itself end in one only without padding.
  const trimmed = payload.endsWith("=/") ? payload.slice(0, -1) : payload;
  return { kind: "upload", payload: trimmed, signature, parameters, version };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
