import { UploadError } from "./errors.ts";

/** What scripts send when a variable was not set. */
const nothingWords = new Set(["", "None", "none", "null", "undefined", "nil", "NaN"]);

/** Refuses keys that mean nothing, with the nearest one that does. */
export function refuseUnknownKeys(options: object, known: readonly string[], prefix = ""): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = known
      .map((candidate) => ({ candidate, distance: editDistance(key, candidate) }))
      .sort((one, other) => one.distance - other.distance)[0];
    const near = nearest !== undefined && nearest.distance <= Math.max(2, key.length / 3);
    throw invalid(
      `there is no option "${prefix}${key}"`,
      near ? `Did you mean "${prefix}${nearest.candidate}"?` : `There are: ${known.join(", ")}.`,
    );
  }
}

export function checkBaseUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw invalid(`url is "${url}"`, "Give the server's address such as https://host:8080.");
  }
  if (parsed.search !== "" || parsed.hash !== "" || parsed.username !== "") {
    throw invalid("url must be an address only", "Leave out user, query and fragment.");
  }
  return url.replace(/\/+$/, "");
}

export function checkAppId(appId: unknown): string {
  if (typeof appId !== "string" || nothingWords.has(appId)) {
    throw invalid(
      `appId is ${JSON.stringify(appId)}`,
      "Give the app's id; was a variable not set?",
    );
  }
  if (appId === "app" || /^\d{1,20}$/.test(appId)) return appId;
  throw invalid(
    `appId is "${appId}"`,
    "An app id is digits only; a phone number or a WhatsApp business account is no app.",
  );
}

export function checkToken(token: unknown): string {
  if (typeof token !== "string" || nothingWords.has(token)) {
    throw invalid("token is missing", "Give an access token; was a variable not set?");
  }
  if (/^(oauth|bearer)\s/i.test(token)) {
    throw invalid("token begins with its scheme", "Give the token alone; OAuth is added here.");
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalid("token holds blanks or control characters", "Was a line break copied with it?");
}

export function checkVersion(version: string): string {
  if (/^v\d+\.\d+$/.test(version)) return version;
  throw invalid(`version is "${version}"`, "A version reads like v21.0.");
}

/** The contract's own limits for `file_name`. */
export function checkName(name: string): string {
  const bytes = new TextEncoder().encode(name).length;
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (bytes >= 1 && bytes <= 255 && !/[\x00-\x1f\x7f/\\]/.test(name)) return name;
  throw invalid(
    `name is ${JSON.stringify(name)}`,
    "A name has 1 to 255 bytes, no slash, no backslash and no control characters.",
  );
}

export function checkType(type: string): string {
  if (/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type)) return type;
  throw invalid(`type is "${type}"`, "A media type reads like application/pdf.");
}

export function checkCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(`${name} is ${value}`, "Give a whole number, 1 or more.");
}

function invalid(message: string, hint: string): UploadError {
  return new UploadError("invalid-option", message, { hint });
}

function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [line, letter] of Array.from(one.toLowerCase()).entries()) {
    const next = [line + 1];
    for (const [column, against] of Array.from(other.toLowerCase()).entries()) {
      const replace = (row[column] ?? 0) + (letter === against ? 0 : 1);
      next.push(Math.min(replace, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
