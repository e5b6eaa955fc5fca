/*
 * What the examples share besides hawser-client: settings from the environment, and one call to a
 * Graph endpoint.
 */

/** A setting that has to be there; ends the program with a sentence when it is not. */
export function setting(name: string, meaning: string): string {
  const value = process.env[name]?.trim() ?? "";
  if (value !== "") return value;
  process.stderr.write(`Set ${name}: ${meaning}.\n`);
  process.exit(2);
}

/** Where the API is: Meta's own, or a Hawser server for trials. */
export function graphUrl(preset = "https://graph.facebook.com"): string {
  return (process.env.META_URL ?? preset).replace(/\/+$/, "");
}

export const graphVersion = "v21.0";

/**
 * `POST /{version}/{path}` with the token in the header; the answer's fields.
 *
 * @throws Error with the service's own words when it refuses
 */
export async function postGraph(
  url: string,
  token: string,
  body: FormData | object,
): Promise<ReadonlyMap<string, unknown>> {
  const isForm = body instanceof FormData;
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      ...(isForm ? {} : { "content-type": "application/json" }),
    },
    body: isForm ? body : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${refusalOf(text)}`);
  return fieldsOf(JSON.parse(text));
}

/** Endpoints explain themselves in `error`, the upload service alone in `debug_info`. */
function refusalOf(text: string): string {
  try {
    const answer = fieldsOf(JSON.parse(text));
    const words = fieldsOf(answer.get("error") ?? answer.get("debug_info"));
    const told = words.get("error_user_msg") ?? words.get("message");
    return typeof told === "string" ? told : text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(typeof value === "object" && value !== null ? value : {}));
}
