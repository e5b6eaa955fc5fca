import type { AppDialect, Dialect, FileAbout, StandardDialect } from "./dialects/dialect.ts";
import { graph } from "./dialects/graph.ts";
import type { TokenSource } from "./dialects/token.ts";
import type { ResumeStore } from "./resume-store/resume-store.ts";
import type { RetryPolicy } from "./retry.ts";
import { defaultRetryPolicy } from "./retry.ts";
import type { UploadProgress, UploadState } from "./state.ts";
import { guarded } from "./listeners.ts";
import { checkAppId, checkBaseUrl, checkDialect, checkName } from "./option-checks.ts";
import { checkToken, checkType, checkVersion, readCount } from "./option-checks.ts";
import { invalidOption, refuseUnknownKeys } from "./option-checks.ts";

/** Where and as whom to call. */
export interface ConnectionOptions {
  /** Base URL of the server; `https://graph.facebook.com` unless given. */
  readonly url?: string | undefined;
  /** The app's id (digits), or `app` for the token's own app. */
  readonly appId: string;
  /** An access token, or a function that gives one and is asked anew when it is refused. */
  readonly token: TokenSource;
  /** API version, `v21.0` unless given. */
  readonly version?: string | undefined;
  /** No byte moved for this long means the connection is dead; 20,000 unless given. */
  readonly stallMs?: number | undefined;
  /** How long the server may think after the last byte; 120,000 unless given. */
  readonly answerMs?: number | undefined;
}

/** Something the caller should know of, though the upload goes on. */
export interface UploadWarning {
  /**
   * - `started-anew`: a remembered upload could not be gone on with; the message says why.
   * - `type-disagrees`: the content looks like another media type than the one declared.
   * - `size-advice`: some consumers of such files refuse this size.
   * - `app-disagrees`: the token belongs to another app.
   * - `forgetful`: the resume store failed; the upload goes on but could not be resumed later.
   */
  readonly code: "started-anew" | "type-disagrees" | "size-advice" | "app-disagrees" | "forgetful";
  readonly message: string;
}

/** Of an upload in Graph; one that is wrong or unknown is refused with `invalid-option`. */
export interface UploadOptions extends ConnectionOptions {
  /** File name told to the server; the source's own unless given. */
  readonly name?: string | undefined;
  /** Media type told to the server; guessed from name and content unless given. */
  readonly type?: string | undefined;
  /**
   * Bytes of one request at most; the whole rest of the file unless given. After a 413, or three
   * cuts in a row at the same place, requests get smaller by themselves, down to 256 KiB; uploads to
   * the same origin begin with that size for an hour, in this process.
   */
  readonly chunkSize?: number | undefined;
  /** Aborts the upload; it can be resumed. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called often, at most once a MiB on a fast line. What this and the next two throw is reported as
   * uncaught, and does not stop the upload.
   */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Called whenever the task's state changes. */
  readonly onState?: ((state: UploadState) => void) | undefined;
  readonly onWarning?: ((warning: UploadWarning) => void) | undefined;
  /** Remembers the upload for a later process; without one nothing is remembered. */
  readonly resumeStore?: ResumeStore | undefined;
  /** Keep the entry with its handle when complete, rather than forgetting it. */
  readonly keepCompleted?: boolean | undefined;
  /** Ignore what is remembered. */
  readonly fresh?: boolean | undefined;
  /** Publish the file when it is up (Hawser only): true, or what it is to be called. */
  readonly publish?: boolean | FileAbout | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** What to speak: Graph unless given, see {@link StandardUploadOptions} for others. */
  readonly dialect?: AppDialect | "graph" | undefined;
}

/** Of an upload in another dialect, which knows neither apps nor publishing. */
export interface StandardUploadOptions extends Omit<
  UploadOptions,
  "url" | "appId" | "token" | "version" | "publish" | "dialect"
> {
  /**
   * Where uploads are made, such as `https://host/files/`; an address without a path is a Hawser
   * server's, which has them at `/uploads`.
   */
  readonly url: string;
  /** As in {@link ConnectionOptions}, where the server wants one. */
  readonly token?: TokenSource | undefined;
  /** `tus` of `hawser-client/tus`, or `ietf` of `hawser-client/ietf`. */
  readonly dialect: StandardDialect;
  // Named, because a compiler lets through what either kind of options has.
  readonly appId?: undefined;
  readonly version?: undefined;
  readonly publish?: undefined;
}

/** Either, before they are looked at. */
export type AnyUploadOptions = Partial<Omit<UploadOptions, "appId" | "token" | "dialect">> & {
  readonly appId?: string | undefined;
  readonly token?: TokenSource | undefined;
  readonly dialect?: Dialect | string | undefined;
};

/** {@link ConnectionOptions}, looked at and completed. */
export interface ParsedConnection {
  readonly url: string;
  /** In a dialect that knows no apps the dialect's name. */
  readonly appId: string;
  /** Undefined where the server wants none. */
  readonly token: TokenSource | undefined;
  readonly version: string;
  readonly stallMs: number;
  readonly answerMs: number;
}

/** {@link UploadOptions}, looked at and completed. */
export interface ParsedOptions {
  readonly connection: ParsedConnection;
  readonly dialect: Dialect;
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly chunkSize: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: UploadProgress) => void;
  readonly onState: (state: UploadState) => void;
  readonly onWarning: (warning: UploadWarning) => void;
  readonly resumeStore: ResumeStore | undefined;
  readonly keepCompleted: boolean;
  readonly fresh: boolean;
  readonly publish: FileAbout | undefined;
  readonly retry: RetryPolicy;
}

const connectionKeys = ["url", "appId", "token", "version", "stallMs", "answerMs"];
const uploadKeys = [
  ...connectionKeys,
  ...["name", "type", "chunkSize", "signal", "onProgress", "onState", "onWarning"],
  ...["resumeStore", "keepCompleted", "fresh", "publish", "retry", "dialect"],
];

/** Looks at connection options; throws `invalid-option` naming the one that is wrong. */
export function parseConnection(options: ConnectionOptions): ParsedConnection {
  refuseUnknownKeys(options, connectionKeys);
  return readConnection(options, graph);
}

/** Looks at upload options; throws `invalid-option` naming the one that is wrong. */
export function parseUpload(options: AnyUploadOptions): ParsedOptions {
  refuseUnknownKeys(options, uploadKeys);
  const { name, type, signal, resumeStore, keepCompleted = false, fresh = false } = options;
  const { dialect: wanted = graph } = options;
  // The one that is loaded anyway is known by its name, too.
  const dialect = wanted === "graph" ? graph : checkDialect(wanted);
  const publish = readPublish(options.publish);
  if (publish !== undefined && !dialect.needsApp) {
    throw invalidOption(`publish is not there in ${dialect.name}`, "Only Graph has it.");
  }
  return Object.freeze({
    ...{ dialect, publish, signal, resumeStore, keepCompleted, fresh },
    connection: readConnection(options, dialect),
    name: name === undefined ? name : checkName(name),
    type: type === undefined ? type : checkType(type),
    chunkSize: readCount(options, "chunkSize"),
    onProgress: guarded(options.onProgress),
    onState: guarded(options.onState),
    onWarning: guarded(options.onWarning),
    retry: readRetry(options.retry ?? {}),
  });
}

function readConnection(options: AnyUploadOptions, { name, needsApp }: Dialect): ParsedConnection {
  const { appId, token, version = "v21.0" } = options;
  const url = checkBaseUrl(options.url ?? (needsApp ? "https://graph.facebook.com" : ""));
  return Object.freeze({
    // To a server of another dialect a slash at the end may matter.
    url: needsApp ? url.replace(/\/+$/, "") : url,
    appId: needsApp ? checkAppId(appId) : name,
    token: needsApp || token !== undefined ? readToken(token) : undefined,
    version: checkVersion(version),
    stallMs: readCount(options, "stallMs") ?? 20_000,
    answerMs: readCount(options, "answerMs") ?? 120_000,
  });
}

function readToken(token: TokenSource | undefined): TokenSource {
  return typeof token === "function" ? token : checkToken(token);
}

function readPublish(publish: UploadOptions["publish"]): FileAbout | undefined {
  if (publish === undefined || publish === false) return undefined;
  if (publish === true) return {};
  refuseUnknownKeys(publish, ["name", "description"], "publish.");
  return { ...publish };
}

function readRetry(retry: Partial<RetryPolicy>): RetryPolicy {
  refuseUnknownKeys(retry, Object.keys(defaultRetryPolicy), "retry.");
  const policy = { ...defaultRetryPolicy, ...retry };
  for (const [key, value] of Object.entries(policy)) {
    if (!Number.isFinite(value) || value < 0) {
      throw invalidOption(`retry.${key} is ${value}`, "Give a number, 0 or more.");
    }
  }
  return Object.freeze(policy);
}
