import { limits } from "../../base/limits.ts";

const MiB = 1024 * 1024;

/** Where objects go, and how the bucket is reached. */
export interface S3Location {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the bucket itself. */
  readonly prefix: string;
  /** The store's address; undefined for AWS's own. */
  readonly endpoint: string | undefined;
  /** Undefined for what the environment of the SDK says. */
  readonly region: string | undefined;
  readonly forcePathStyle: boolean;
  readonly createBucket: boolean;
  /** The length of an upload's first parts. */
  readonly partBytes: number;
}

/** What is wrong with a location, in words for whoever wrote it. */
export class S3LocationError extends Error {
  override readonly name = "S3LocationError";
}

const options = ["endpoint", "region", "forcePathStyle", "createBucket", "part-mib"] as const;
type OptionName = (typeof options)[number];
type Options = ReadonlyMap<OptionName, string>;

/** Reads `s3://bucket/prefix?endpoint=…&region=…&forcePathStyle=true&createBucket=true&part-mib=8`. */
export function parseS3Location(text: string): S3Location {
  if (!URL.canParse(text)) throw new S3LocationError("this is not a URL like s3://bucket/prefix.");
  const url = new URL(text);
  if (url.protocol !== "s3:") throw new S3LocationError("the URL must begin with s3://.");
  if (url.username !== "" || url.password !== "") {
    throw new S3LocationError(
      "keys do not belong in the URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    );
  }
  if (url.port !== "" || url.hash !== "") {
    throw new S3LocationError("a bucket has no port and no fragment: use endpoint=https://….");
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname)) {
    throw new S3LocationError(
      `${JSON.stringify(url.hostname)} is not the name of a bucket: 3 to 63 of a-z, 0-9, "." and "-".`,
    );
  }
  const given = optionsOf(url);
  return Object.freeze({
    bucket: url.hostname,
    prefix: prefixOf(url),
    endpoint: endpointOf(given),
    region: given.get("region"),
    forcePathStyle: flagOf(given, "forcePathStyle"),
    createBucket: flagOf(given, "createBucket"),
    partBytes: partBytesOf(given),
  });
}

function optionsOf(url: URL): Options {
  const given = new Map<OptionName, string>();
  for (const [name, value] of url.searchParams) {
    const known = options.find((option) => option === name);
    if (known === undefined) {
      throw new S3LocationError(`${name} is not an option. Did you mean ${closest(name)}?`);
    }
    if (given.has(known)) throw new S3LocationError(`${name} is given twice.`);
    if (value === "") throw new S3LocationError(`${name} has no value.`);
    given.set(known, value);
  }
  return given;
}

function prefixOf(url: URL): string {
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "");
  if (!/^[A-Za-z0-9._/-]{0,200}$/.test(prefix) || prefix.includes("//")) {
    throw new S3LocationError(
      `the prefix ${JSON.stringify(prefix)} may have up to 200 of letters, digits, ".", "_", "-" and single "/".`,
    );
  }
  return prefix;
}

function endpointOf(given: Options): string | undefined {
  const endpoint = given.get("endpoint");
  if (endpoint === undefined) return undefined;
  const isHttp = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
  if (!isHttp) throw new S3LocationError(`endpoint must be an http or https URL: ${endpoint}`);
  return endpoint;
}

function flagOf(given: Options, name: OptionName): boolean {
  const value = given.get(name) ?? "false";
  if (value !== "true" && value !== "false") {
    throw new S3LocationError(`${name} must be true or false, not ${value}.`);
  }
  return value === "true";
}

function partBytesOf(given: Options): number {
  const value = given.get("part-mib");
  if (value === undefined) return limits.s3PartBytes;
  if (!/^[1-9][0-9]?$/.test(value) || Number(value) > 64) {
    throw new S3LocationError(`part-mib must be a whole number from 1 to 64, not ${value}.`);
  }
  return Number(value) * MiB;
}

/** The option that shares most letters with what was written, counted by pairs of neighbours. */
function closest(name: string): string {
  const pairs = pairsOf(name);
  const shared = (option: string): number =>
    pairsOf(option).filter((pair) => pairs.includes(pair)).length / option.length;
  const [best] = options.toSorted((one, other) => shared(other) - shared(one));
  return best ?? "";
}

function pairsOf(name: string): string[] {
  const letters = name.toLowerCase().replace(/[^a-z]/g, "");
  return Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) =>
    letters.slice(at, at + 2),
  );
}
