import type { Dialect } from "./dialects/dialect.ts";
import { UploadError } from "./errors.ts";

/** What scripts send when a variable was not set. */
const nothing = /^(none|null|undefined|nil|nan)?$/i;

/** Refuses keys that mean nothing, with the nearest one that does. */
export function refuseUnknownKeys(options: object, known: readonly string[], prefix = ""): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw invalidOption(
      `there is no option "${prefix}${key}"`,
      near === undefined ? `There are: ${known.join(", ")}.` : `Did you mean "${prefix}${near}"?`,
    );
  }
}

export function checkBaseUrl(url: string): string {
  const { protocol, search, hash, username } = URL.parse(url) ?? { protocol: "" };
  if (!/^https?:$/.test(protocol)) {
    throw invalidOption(`url is "${url}"`, "Give the server's address such as https://host:8080.");
  }
  if (search || hash || username) {
    throw invalidOption("url must be an address only", "Leave out user, query and fragment.");
  }
  return url;
}

export function checkAppId(appId: unknown): string {
  if (typeof appId !== "string" || nothing.test(appId)) {
    const message = `appId is ${JSON.stringify(appId)}`;
    throw invalidOption(message, "Give the app's id; was a variable not set?");
  }
  if (/^(app|\d{1,20})$/.test(appId)) return appId;
  throw invalidOption(
    `appId is "${appId}"`,
    "An app id is digits only; a WhatsApp business account or a phone number is no app.",
  );
}

export function checkToken(token: unknown): string {
  if (typeof token !== "string" || nothing.test(token)) {
    throw invalidOption("token is missing", "Give an access token; was a variable not set?");
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalidOption(
    "token holds blanks or control characters",
    "Give it alone, without its scheme or a line break.",
  );
}

export function checkVersion(version: string): string {
  if (/^v\d+\.\d+$/.test(version)) return version;
  throw invalidOption(`version is "${version}"`, "A version reads like v21.0.");
}

/** The contract's own limits for `file_name`. */
export function checkName(name: string): string {
  const bytes = new TextEncoder().encode(name).length;
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (bytes >= 1 && bytes <= 255 && !/[\x00-\x1f\x7f/\\\p{Cs}]/u.test(name)) return name;
  throw invalidOption(
    `name is ${JSON.stringify(name)}`,
    "A name has 1 to 255 bytes, no slashes and no control characters.",
  );
}

export function checkType(type: string): string {
  if (/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type)) return type;
  throw invalidOption(`type is "${type}"`, "A media type reads like application/pdf.");
}

export function checkDialect(dialect: Dialect | string): Dialect {
  if (typeof dialect !== "string") return dialect;
  throw invalidOption(`dialect is "${dialect}"`, "Import hawser-client/tus or hawser-client/ietf.");
}

/** A whole number from 1 on, or undefined when it is not given. */
export function readCount<K extends string>(
  options: Readonly<Partial<Record<K, number | undefined>>>,
  key: K,
): number | undefined {
  const value = options[key];
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw invalidOption(`${key} is ${value}`, "Give a whole number, 1 or more.");
}

export function invalidOption(message: string, hint: string): UploadError {
  return new UploadError("invalid-option", message, { hint });
}

/** The known key that a mistyped one was most likely meant to be. */
function nearest(key: string, known: readonly string[]): string | undefined {
  for (let edits = 0; edits <= Math.max(2, key.length / 3); edits += 1) {
    const near = known.find((one) => isNear(one.toLowerCase(), key.toLowerCase(), edits));
    if (near !== undefined) return near;
  }
  return undefined;
}

/** Whether so many letters at most are left out, put in or exchanged between the two. */
function isNear(one: string, other: string, edits: number): boolean {
  if (one === other) return true;
  const [oneRest, otherRest, left] = [one.slice(1), other.slice(1), edits - 1];
  if (one.charCodeAt(0) === other.charCodeAt(0)) return isNear(oneRest, otherRest, edits);
  if (edits === 0) return false;
  return (
    isNear(oneRest, other, left) || isNear(one, otherRest, left) || isNear(oneRest, otherRest, left)
  );
}
