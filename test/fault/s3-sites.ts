import type { S3Fault, S3Request } from "../support/s3-fault-proxy.ts";

const MiB = 1024 * 1024;

/** What the engine is doing while a request is sent: the same call is made from several places. */
export type Phase = "append" | "read" | "repair" | "assemble" | "sweep";

/** Parts of 5 MiB are the shortest that a store copies. */
export const partMib = 5;
export const partBytes = partMib * MiB;

interface Site {
  readonly phase: Phase;
  readonly matches: (request: S3Request) => boolean;
  /** The site is only reached, or has something to lose, once these went wrong. */
  readonly after?: readonly Wrong[];
  /** Reached only where the store does not remove many objects by one request. */
  readonly oneByOne?: true;
  /** Reached again and again in one life, which then can meet every fault. */
  readonly often?: true;
}

/** The next `times` calls at the site go wrong like this. */
export interface Wrong {
  readonly site: SiteName;
  readonly fault: S3Fault;
  readonly times: number;
}

function isObject(method: string, wanted: (start: number, length: number) => boolean) {
  return (request: S3Request): boolean => {
    const found = /\/(\d+)-(\d+)-[0-9a-f]{8}(?:\?|$)/.exec(request.path);
    if (found === null || request.method !== method || isOfMultipart(request)) return false;
    return wanted(Number(found[1]), Number(found[2]));
  };
}

function isOfMultipart({ path }: S3Request): boolean {
  return /[?&](uploads|uploadId)(=|&|$)/.test(path);
}

function isCall(method: string, query: RegExp, x = /./) {
  return (request: S3Request): boolean =>
    request.method === method && query.test(request.path) && x.test(request.path);
}

/** Tries to make one object end, and what they began is left over. */
const leftOver: readonly Wrong[] = [
  { site: "put of a merge", fault: "lose", times: 3 },
  { site: "UploadPart", fault: "refuse", times: 3 },
  { site: "AbortMultipartUpload", fault: "refuse", times: 3 },
];

const isAny = (): boolean => true;
const isMerge = (start: number, length: number): boolean => start > 0 && length > 100_000;
const isTail = (start: number, length: number): boolean => start > 0 && length < 100_000;

const siteTable = {
  "put of a part": { phase: "append", matches: isObject("PUT", (start) => start === 0) },
  "put of a tail": { phase: "append", matches: isObject("PUT", isTail) },
  "put of a merge": { phase: "append", matches: isObject("PUT", isMerge) },
  "get of a merge": { phase: "append", matches: isObject("GET", isTail) },
  "get of the head": { phase: "append", matches: isObject("GET", (start) => start === 0) },
  "get of a download": { phase: "read", matches: isObject("GET", isAny) },
  "look at opening": { phase: "append", matches: isObject("HEAD", isAny) },
  "look at assembly": { phase: "assemble", matches: isObject("HEAD", isAny) },
  "get at assembly": { phase: "assemble", matches: isObject("GET", isAny) },
  CreateMultipartUpload: { phase: "assemble", matches: isCall("POST", /[?&]uploads/) },
  UploadPart: { phase: "assemble", matches: isCall("PUT", /partNumber=/, /x-id=UploadPart(&|$)/) },
  UploadPartCopy: { phase: "assemble", matches: isCall("PUT", /x-id=UploadPartCopy/) },
  CompleteMultipartUpload: { phase: "assemble", matches: isCall("POST", /[?&]uploadId=/) },
  AbortMultipartUpload: {
    phase: "assemble",
    matches: isCall("DELETE", /[?&]uploadId=/),
    after: [{ site: "UploadPart", fault: "refuse", times: 3 }],
  },
  "abort by the sweep": {
    phase: "sweep",
    matches: isCall("DELETE", /[?&]uploadId=/),
    after: leftOver,
  },
  ListMultipartUploads: {
    phase: "sweep",
    matches: isCall("GET", /[?&]uploads/),
    after: leftOver,
  },
  ListObjects: { phase: "sweep", matches: isCall("GET", /list-type=2/), after: leftOver },
  "get of the count of sweeps": {
    phase: "sweep",
    matches: isCall("GET", /\/sweeps\.json/),
    often: true,
  },
  "put of the count of sweeps": {
    phase: "sweep",
    matches: isCall("PUT", /\/sweeps\.json/),
    often: true,
  },
  "listing of a repair": {
    phase: "repair",
    matches: isCall("GET", /list-type=2/),
    often: true,
  },
  "removal of one": {
    phase: "sweep",
    matches: isCall("DELETE", /x-id=DeleteObject(&|$)/),
    oneByOne: true,
    often: true,
  },
  DeleteObjects: { phase: "sweep", matches: isCall("POST", /[?&]delete/), after: leftOver },
} as const satisfies Readonly<Record<string, Omit<Site, "after"> & { readonly after?: unknown }>>;

export type SiteName = keyof typeof siteTable;

export const sites: Readonly<Record<SiteName, Site>> = siteTable;
export const siteNames = Object.keys(siteTable).filter((name): name is SiteName => name in sites);

const quick: readonly S3Fault[] = ["refuse", "reset", "lose", "slow"];

/** What a success that says nothing at all must not pass for. */
const answersInWords = /^(put|UploadPart|Create|Complete|List|Delete|get of the count|listing)/;

export function faultsOf(site: SiteName): readonly S3Fault[] {
  // The answer's body says that a call failed which its status says had succeeded. Looks have none.
  const inWords: readonly S3Fault[] = site.startsWith("look") ? [] : ["false-success"];
  const empty: readonly S3Fault[] = answersInWords.test(site) ? ["empty-success"] : [];
  const broken: readonly S3Fault[] = site.startsWith("get") ? ["cut"] : [];
  return [...quick, ...inWords, ...empty, ...broken];
}
