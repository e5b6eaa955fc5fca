// Runs in the browser: what a page of somebody's would do with the library, for a test to look at.
import {
  browserPlatform,
  browserTransport,
  connectGraph,
  fileIdentity,
  resumeKey,
  upload,
  UploadQueue,
} from "hawser-client/browser";
import type { ConnectionOptions, UploadOptions, UploadResult } from "hawser-client/browser";
import type { BrowserInput, UploadTask } from "hawser-client/browser";
import { UploadError } from "hawser-client/browser";
import { ietf } from "hawser-client/ietf";
import { IndexedDbResumeStore } from "hawser-client/indexed-db";
import { tus } from "hawser-client/tus";

/** How an upload went, as data that can leave the page. */
export interface Outcome {
  readonly result?: UploadResult;
  readonly failure?: { readonly code: string; readonly message: string };
  /** Kinds of state, in their order. */
  readonly states: readonly string[];
  /** Codes of what was tried again. */
  readonly retried: readonly string[];
  readonly warnings: readonly string[];
}

type PlainOptions = ConnectionOptions &
  Partial<Pick<UploadOptions, "chunkSize" | "publish" | "retry">>;

const dialects = { tus, ietf };

/** Another dialect than Graph: named, because only data comes into the page. */
interface StandardPlainOptions {
  readonly dialect: keyof typeof dialects;
  readonly url: string;
  readonly token: string;
}

const store = new IndexedDbResumeStore();
let task: UploadTask | undefined;
let outcome: Promise<Outcome> | undefined;

/** Begins an upload; the id it has been given, once bytes go out. */
function begin(input: BrowserInput, options: PlainOptions | StandardPlainOptions): Promise<string> {
  const begun = Promise.withResolvers<string>();
  const log = { states: [] as string[], retried: [] as string[], warnings: [] as string[] };
  const own = upload(input, {
    ...("dialect" in options ? { ...options, dialect: dialects[options.dialect] } : options),
    resumeStore: store,
    onState: (state) => {
      log.states.push(state.kind);
      if (state.kind === "uploading") begun.resolve(state.id);
      if (state.kind === "retrying") log.retried.push(state.error.code);
    },
    onWarning: ({ code }) => log.warnings.push(code),
  });
  task = own;
  outcome = own.result.then(
    (result) => ({ result, ...log }),
    (error: unknown) => {
      begun.reject(error);
      if (!(error instanceof UploadError)) throw error;
      return { failure: { code: error.code, message: error.message }, ...log };
    },
  );
  return begun.promise;
}

/** The file that was picked. */
function picked(): File {
  const file = document.querySelector<HTMLInputElement>("#file")?.files?.[0];
  if (file === undefined) throw new Error("no file was picked");
  return file;
}

/** Uploads and publishes all files of the folder that was picked; the published files' ids. */
async function uploadFolder(options: ConnectionOptions): Promise<string[]> {
  const input = document.querySelector<HTMLInputElement>("#folder");
  const queue = new UploadQueue({ ...options, publish: true });
  const results = await Promise.all(queue.addAll(input?.files ?? []));
  return results.map(({ fileId = "" }) => fileId);
}

/** How many bytes the page itself has read of blobs since it was loaded. */
let bytesRead = 0;
const { prototype } = Blob;
const stream = Reflect.get(prototype, "stream") as (this: Blob) => ReadableStream<Uint8Array>;
prototype.stream = function counted(this: Blob) {
  const count = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
    transform: (chunk, controller) => {
      bytesRead += chunk.length;
      controller.enqueue(new Uint8Array(chunk));
    },
  });
  return stream.call(this).pipeThrough(count);
};

/** A file of the page's own file system, whose handle can be kept as a picked file's can. */
async function privateFile(name: string): Promise<FileSystemFileHandle> {
  const directory = await navigator.storage.getDirectory();
  return directory.getFileHandle(name, { create: true });
}

const hawser = {
  browserPlatform,
  browserTransport,
  connectGraph,
  fileIdentity,
  resumeKey,
  store,
  begin,
  picked,
  privateFile,
  uploadFolder,
  task: () => task,
  outcome: () => outcome,
  bytesRead: () => bytesRead,
};

declare global {
  /** In the page only. */
  var hawserPage: typeof hawser;
}
globalThis.hawserPage = hawser;
