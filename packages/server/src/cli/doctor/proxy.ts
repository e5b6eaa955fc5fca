import { isHawsers, type Answer } from "./answer.ts";
import type { Deployment } from "./deployment.ts";
import type { ProxyKind } from "./remedies.ts";

/** What seems to stand before Hawser. */
export interface Proxy {
  /** When it is one whose words are known here. */
  readonly kind: ProxyKind | undefined;
  /** As it names itself; undefined when nothing tells. */
  readonly name: string | undefined;
  /** Whether Hawser itself answers what a proxy would. */
  readonly isBare: boolean;
}

const errorPageMsMax = 5_000;

/** Asks by what names itself in an ordinary answer, then by the page for what is no request. */
export async function recogniseProxy(deployment: Deployment, usual: Answer): Promise<Proxy> {
  const named = usual.headers.get("server") ?? usual.headers.get("via");
  const kind = kindNamed(named ?? "");
  if (kind !== undefined) return { kind, name: named, isBare: false };
  const page = await errorPage(deployment).catch(() => undefined);
  const kindOfPage = page === undefined ? undefined : kindOf(page);
  const isBare = named === undefined && page !== undefined && isHawsers(page);
  return { kind: kindOfPage, name: named ?? kindOfPage, isBare };
}

function kindNamed(text: string): ProxyKind | undefined {
  if (/nginx|openresty|tengine/i.test(text)) return "nginx";
  if (/caddy/i.test(text)) return "caddy";
  if (/haproxy/i.test(text)) return "haproxy";
  return undefined;
}

/** The answer to what is no request: proxies give it themselves. */
async function errorPage(deployment: Deployment): Promise<Answer | undefined> {
  const line = await deployment.open();
  try {
    await line.write("GET no request\r\n\r\n");
    const reply = await line.reply(errorPageMsMax);
    return reply.kind === "answer" ? reply.answer : undefined;
  } finally {
    line.close();
  }
}

function kindOf({ headers, body }: Answer): ProxyKind | undefined {
  const named = kindNamed(headers.get("server") ?? "");
  if (named !== undefined) return named;
  const page = body.toString();
  if (page.includes("<center>nginx")) return "nginx";
  // HAProxy's own pages have a second line of this kind and nothing that names it.
  if (/<h1>\d{3} .*<\/h1>\s*Your browser sent an invalid request/.test(page)) return "haproxy";
  // Go's server, which is Caddy's, answers in plain words.
  return page.startsWith("400 Bad Request") ? "caddy" : undefined;
}
