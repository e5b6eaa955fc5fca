import { uploadError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { Exchange } from "../../http/exchange.ts";

/** The parameters of one request, from its query and its body alike. */
export class Parameters {
  readonly #values: readonly (readonly [name: string, value: unknown])[];

  constructor(values: readonly (readonly [string, unknown])[]) {
    this.#values = values;
  }

  /** Reads a urlencoded, multipart or JSON body beside the query. Other bodies carry none. */
  static async read(exchange: Exchange): Promise<Parameters> {
    const mayHaveBody = exchange.method === "POST" || exchange.method === "DELETE";
    const hasBody = mayHaveBody && exchange.announcedLength !== 0;
    return new Parameters([...exchange.query, ...(hasBody ? await readBody(exchange) : [])]);
  }

  /** Names in the order the caller gave them, each once. */
  get names(): string[] {
    return [...new Set(this.#values.map(([name]) => name))];
  }

  all(name: string): unknown[] {
    return this.#values.filter(([key]) => key === name).map(([, value]) => value);
  }

  /** The one value as text; undefined when absent. Contradicting ones are refused. */
  text(name: string): string | undefined {
    const texts = new Set(
      this.all(name).map((value) => {
        if (typeof value === "string") return value;
        if (typeof value === "number") return String(value);
        throw uploadError("parameter_invalid", {
          name,
          problem: "is neither text nor a number",
          valid: "one value",
        });
      }),
    );
    if (texts.size > 1) {
      throw uploadError("parameter_invalid", {
        name,
        problem: "is given more than once, with different values",
        valid: "one value",
      });
    }
    const [text] = texts;
    return text;
  }

  tokens(): string[] {
    return this.all("access_token").map((value) => {
      if (typeof value === "string") return value;
      if (typeof value === "number") return String(value);
      // JSON can hold what has no text, and what would take the stack to put into one.
      throw uploadError("token_invalid", { problem: "It is not a text." });
    });
  }
}

async function readBody(exchange: Exchange): Promise<(readonly [string, unknown])[]> {
  const type = exchange.header("content-type") ?? "";
  const body = await exchange.readSmall(limits.formBytesMax);
  if (body.length === 0) return [];
  if (/^application\/json\b/i.test(type)) return readJson(body);
  if (!/^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) return [];
  const boundary = /^multipart\b.*;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(type);
  if (boundary === null) return [...new URLSearchParams(body.toString())];
  return readMultipart(body, boundary[1] ?? boundary[2] ?? "");
}

/** Text fields of a form (RFC 7578). Node's own reader refuses boundaries that clients do send. */
function readMultipart(body: Buffer, boundary: string): (readonly [string, string])[] {
  const pieces = `\r\n${body.toString("latin1")}`.split(`\r\n--${boundary}`);
  if (pieces.length < 3 || !/^--(\r\n|$)/.test(pieces.at(-1) ?? "")) {
    throw uploadError("request_malformed", { detail: "The multipart body is not whole." });
  }
  return pieces.slice(1, -1).flatMap((piece) => {
    const headEnd = piece.indexOf("\r\n\r\n");
    const head = piece.slice(0, Math.max(headEnd, 0));
    const name = /^content-disposition:.*;\s*name="([^"]*)"/im.exec(head)?.[1];
    if (name === undefined || /;\s*filename\*?=/i.test(head)) return [];
    const value = Buffer.from(piece.slice(headEnd + 4), "latin1").toString();
    return [[name, value] as const];
  });
}

function readJson(body: Buffer): (readonly [string, unknown])[] {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return Object.entries(value);
    }
  } catch {
    // Falls through to the one message below.
  }
  throw uploadError("request_malformed", { detail: "The body is not a JSON object." });
}
