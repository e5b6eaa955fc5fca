import { z } from "zod";
import { isMediaType } from "../access/apps.ts";
import { limits } from "../base/limits.ts";

/** One option of the server, under one name everywhere: `--a-b`, `HAWSER_A_B`, `a.b` in YAML. */
export interface ConfigOption<Value = unknown> {
  readonly key: string;
  readonly flag: string;
  readonly env: string;
  readonly description: string;
  /** As it would be written; undefined when the option has none. */
  readonly default: string | undefined;
  /** From the text that was given to the value. */
  readonly type: z.ZodType<Value, string>;
  /** Its value must not be shown. */
  readonly isSecret: boolean;
  /** Given by its mere presence, as a flag. */
  readonly isSwitch: boolean;
}

interface OptionWords<Value> {
  readonly description: string;
  readonly type: z.ZodType<Value, string>;
  readonly default?: string;
  readonly isSecret?: boolean;
  readonly isSwitch?: boolean;
}

function option<Value>(key: string, words: OptionWords<Value>): ConfigOption<Value> {
  const { isSwitch = false, isSecret = false } = words;
  return Object.freeze({
    key,
    flag: isSwitch ? `--${key}` : `--${key} <value>`,
    env: `HAWSER_${key.toUpperCase().replaceAll("-", "_")}`,
    description: words.description,
    default: words.default,
    type: words.type,
    isSecret,
    isSwitch,
  });
}

const text = z.string().min(1, "expected some text");

function wholeNumber(least: number, most: number) {
  const expected = `expected a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^[0-9]+$/, expected)
    .transform(Number)
    .pipe(z.number().min(least, expected).max(most, expected));
}

const yes: readonly string[] = ["true", "1", "yes", "on"];
const no: readonly string[] = ["false", "0", "no", "off"];
const truth = z
  .string()
  .toLowerCase()
  .refine((word) => yes.includes(word) || no.includes(word), "expected true or false")
  .transform((word) => yes.includes(word));

const webAddress = z
  .url({ protocol: /^https?$/, error: "expected a URL such as https://files.example.com" })
  .refine((url) => !/[?#]/.test(url), "expected a URL without query or fragment")
  .transform((url) => url.replace(/\/+$/, ""));

const postgresAddress = z.url({
  protocol: /^postgres(ql)?$/,
  error: "expected a URL such as postgres://user@host/hawser",
});

const expectedOrigins = "expected *, none, or origins such as https://app.example.com";
const origins = z.string().transform((given, context): "*" | readonly string[] => {
  const list = given.split(",").map((each) => each.trim());
  if (given === "*") return "*";
  if (given === "none") return [];
  if (list.every(isOrigin)) return Object.freeze(list);
  context.addIssue({ code: "custom", message: expectedOrigins });
  return z.NEVER;
});

/** As browsers write it: a default port, a path or a capital letter would never match. */
function isOrigin(given: string): boolean {
  return /^https?:\/\//.test(given) && URL.canParse(given) && new URL(given).origin === given;
}

const s3Address = z.url({
  protocol: /^s3$/,
  error: "expected a URL such as s3://bucket/prefix?region=eu-central-1",
});

const assemblyPolicies = ["on-publish", "background", "never"] as const;

const graphModes = z
  .enum(["documented", "observed"], "expected documented")
  .refine((mode) => mode !== "observed", "observed is not yet supported; expected documented")
  .transform(() => "documented" as const);

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const logLevel = z.enum(logLevels, `expected one of ${logLevels.join(", ")}`);

const mediaTypes = z
  .string()
  .transform((given) => Object.freeze(given.split(",").map((each) => each.trim())))
  .refine((types) => types.every(isMediaType), "expected media types such as image/png,video/mp4");

const appId = z.string().regex(/^[0-9]{1,20}$/, "expected 1 to 20 digits");
const secretText = z
  .string()
  .regex(
    /^[\x21-\x7b\x7d\x7e]{1,255}$/,
    "expected 1 to 255 visible ASCII characters without | and spaces",
  );

/** A timer of Node's takes no longer delay. */
const timerSecondsMax = 2_147_483;

/** Every option there is. */
export const configOptions = Object.freeze({
  host: option("host", {
    description: "the address to listen at; 0.0.0.0 is all of IPv4",
    type: text,
    default: "127.0.0.1",
  }),
  port: option("port", {
    description: "the port to listen at; 0 takes a free one",
    type: wholeNumber(0, 65_535),
    default: "8080",
  }),
  data: option("data", {
    description: "the directory that everything is kept in",
    type: text,
    default: "./hawser-data",
  }),
  catalog: option("catalog", {
    description: "a Postgres database that several nodes share, instead of a file in --data",
    type: postgresAddress,
    isSecret: true,
  }),
  catalogConnections: option("catalog-connections", {
    description: "connections to Postgres that this node keeps at most",
    type: wholeNumber(1, 1_000),
    default: "10",
  }),
  migrate: option("migrate", {
    description: "bring the schema of --catalog up to date before serving",
    type: truth,
    default: "false",
    isSwitch: true,
  }),
  blobs: option("blobs", {
    description: "an S3-compatible store for the bytes, instead of files in --data",
    type: s3Address,
  }),
  assemble: option("assemble", {
    description: "when the parts of a file in S3 become one object: on-publish, background, never",
    type: z.enum(assemblyPolicies, `expected one of ${assemblyPolicies.join(", ")}`),
    default: "on-publish",
  }),
  redirectDownloads: option("redirect-downloads", {
    description: "send downloads to signed URLs of the S3 store where that is possible",
    type: truth,
    default: "false",
    isSwitch: true,
  }),
  config: option("config", { description: "a YAML file with any of these options", type: text }),
  publicUrl: option("public-url", {
    description: "the server's address as clients see it, when a proxy stands before it",
    type: webAddress,
  }),
  corsOrigins: option("cors-origins", {
    description: "whose web pages may call: * for all, none, or origins separated by commas",
    type: origins,
    default: "*",
  }),
  trustProxy: option("trust-proxy", {
    description: "believe the X-Forwarded headers of the proxy before this server",
    type: truth,
    default: "false",
    isSwitch: true,
  }),
  interimAnswers: option("interim-answers", {
    description: "tell clients of the IETF draft how far they are while they send (104)",
    type: truth,
    default: "false",
    isSwitch: true,
  }),
  open: option("open", {
    description: "take requests without a token as the local app's; only at a loopback --host",
    type: truth,
    default: "false",
    isSwitch: true,
  }),
  graphMode: option("graph-mode", {
    description: "how the Graph API behaves: documented",
    type: graphModes,
    default: "documented",
  }),
  logLevel: option("log-level", {
    description: `the least important lines to log: ${logLevels.join(", ")}`,
    type: logLevel,
    default: "info",
  }),
  appId: option("app-id", { description: "the id of an app to have, digits only", type: appId }),
  appSecret: option("app-secret", {
    description: "that app's secret (HAWSER_APP_SECRET keeps it out of the process list)",
    type: secretText,
    isSecret: true,
  }),
  appTypes: option("app-types", {
    description: "the media types that app takes, separated by commas (those of Meta's guide)",
    type: mediaTypes,
  }),
  token: option("token", {
    description: "an access token to accept (HAWSER_TOKEN keeps it out of the process list)",
    type: secretText,
    isSecret: true,
  }),
  key: option("key", {
    description: "the deployment's keys, comma-separated, the current one first",
    type: text,
    isSecret: true,
  }),
  handleLifetimeSeconds: option("handle-lifetime-seconds", {
    description: "how long the handle of a complete upload is valid",
    type: wholeNumber(1, limits.lifetimeMsMax / 1000),
    default: String(limits.handleLifetimeMsDefault / 1000),
  }),
  sweepIntervalSeconds: option("sweep-interval-seconds", {
    description: "how often expired uploads are looked for",
    type: wholeNumber(1, timerSecondsMax),
    default: String(limits.sweepIntervalMs / 1000),
  }),
  softRoomBytes: option("soft-room-bytes", {
    description: "free bytes below which no upload is begun (2 % of the volume, at most 1 GiB)",
    type: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  }),
  hardRoomBytes: option("hard-room-bytes", {
    description: "free bytes below which no upload goes on (0.5 % of it, at most 256 MiB)",
    type: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  }),
});
