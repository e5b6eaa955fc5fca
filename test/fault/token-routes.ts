import { type GraphApi, queryOf, uploadPath } from "../conformance/graph/graph-api.ts";
import type { Scope } from "../support/cli.ts";
import { uuidOf } from "../support/dialect-wire.ts";
import type { HeaderLine } from "../support/raw-http.ts";

/** Things of one app that requests can name. */
export interface Belongings {
  readonly upload: string;
  readonly handle: string;
  readonly file: string;
}

export interface TokenRoute {
  readonly name: string;
  readonly method: string;
  readonly scope: Scope;
  readonly path: (appId: string, belongings: Belongings) => string;
  /** Form fields, of the body with POST and of the query else. */
  readonly fields?: (belongings: Belongings) => Readonly<Record<string, string>>;
  /**
   * What another app's token is told: that there is no such node, or no such handle. Where the path
   * names no app it makes something of its own app's.
   */
  readonly foreign: "node" | "handle" | "own";
  /** Of which of the standard protocols it is, and in which headers it says so. */
  readonly standard?: Standard;
}

export interface Standard {
  readonly dialect: "tus" | "ietf";
  readonly headers: readonly HeaderLine[];
}

const started = { file_name: "a.pdf", file_length: "10", file_type: "application/pdf" };

const template = (handle: string): string =>
  JSON.stringify([{ type: "HEADER", example: { header_handle: [handle] } }]);

const appEdge = (edge: string) => (appId: string) => `/v21.0/${appId}/${edge}`;
const fileEdge =
  (edge: string) =>
  (_: string, { file }: Belongings) =>
    `/v21.0/${file}${edge}`;

/** The routes on which a token may come in the header, the query or the body. */
export const nodeRoutes: readonly TokenRoute[] = [
  {
    name: "start",
    method: "POST",
    scope: "create",
    path: appEdge("uploads"),
    fields: () => started,
    foreign: "node",
  },
  { name: "uploads", method: "GET", scope: "read", path: appEdge("uploads"), foreign: "node" },
  {
    name: "publish",
    method: "POST",
    scope: "publish",
    path: appEdge("files"),
    fields: ({ handle }) => ({ handle }),
    foreign: "node",
  },
  { name: "files", method: "GET", scope: "read", path: appEdge("files"), foreign: "node" },
  { name: "file", method: "GET", scope: "read", path: fileEdge(""), foreign: "node" },
  { name: "delete a file", method: "DELETE", scope: "delete", path: fileEdge(""), foreign: "node" },
  { name: "content", method: "GET", scope: "read", path: fileEdge("/content"), foreign: "node" },
  {
    name: "content's head",
    method: "HEAD",
    scope: "read",
    path: fileEdge("/content"),
    foreign: "node",
  },
  ...["videos", "advideos"].map((edge): TokenRoute => ({
    name: edge,
    method: "POST",
    scope: "publish",
    path: () => `/v21.0/1122334455/${edge}`,
    fields: ({ handle }) => ({ fbuploader_video_file_chunk: handle, title: "t" }),
    foreign: "handle",
  })),
  {
    name: "whatsapp_business_profile",
    method: "POST",
    scope: "publish",
    path: () => "/v21.0/1122334455/whatsapp_business_profile",
    fields: ({ handle }) => ({ profile_picture_handle: handle }),
    foreign: "handle",
  },
  {
    name: "message_templates",
    method: "POST",
    scope: "publish",
    path: () => "/v21.0/1122334455/message_templates",
    fields: ({ handle }) => ({ category: "UTILITY", components: template(handle) }),
    foreign: "handle",
  },
];

const uploadNode = (_: string, { upload }: Belongings): string => uploadPath(upload);

/** The routes on which only a token in the header counts. */
export const uploadRoutes: readonly TokenRoute[] = [
  { name: "append", method: "POST", scope: "append", path: uploadNode, foreign: "node" },
  { name: "status", method: "GET", scope: "read", path: uploadNode, foreign: "node" },
  { name: "cancel", method: "DELETE", scope: "delete", path: uploadNode, foreign: "node" },
];

const tusVersion: HeaderLine = ["Tus-Resumable", "1.0.0"];
const fromFour: HeaderLine = ["Upload-Offset", "4"];
const partType: HeaderLine = ["Content-Type", "application/partial-upload"];
const offsetType: HeaderLine = ["Content-Type", "application/offset+octet-stream"];

const pdfMetadata = `filetype ${Buffer.from("application/pdf").toString("base64")}`;

const collection = (): string => "/uploads";
const standardUpload = (_: string, { upload }: Belongings): string => `/uploads/${uuidOf(upload)}`;

function tus(...headers: readonly HeaderLine[]): Standard {
  return { dialect: "tus", headers: [tusVersion, ...headers] };
}

function ietf(...headers: readonly HeaderLine[]): Standard {
  return { dialect: "ietf", headers };
}

/** The standard protocols' own, where only a token in the header counts, too. */
export const standardRoutes: readonly TokenRoute[] = [
  {
    name: "tus: create",
    method: "POST",
    scope: "create",
    path: collection,
    foreign: "own",
    standard: tus(["Upload-Length", "6"], ["Upload-Metadata", pdfMetadata], offsetType),
  },
  {
    name: "tus: append",
    method: "PATCH",
    scope: "append",
    path: standardUpload,
    foreign: "node",
    standard: tus(offsetType, fromFour),
  },
  {
    name: "tus: status",
    method: "HEAD",
    scope: "read",
    path: standardUpload,
    foreign: "node",
    standard: tus(),
  },
  {
    name: "tus: terminate",
    method: "DELETE",
    scope: "delete",
    path: standardUpload,
    foreign: "node",
    standard: tus(),
  },
  {
    name: "ietf: create",
    method: "POST",
    scope: "create",
    path: collection,
    foreign: "own",
    standard: ietf(["Content-Type", "application/pdf"], ["Upload-Complete", "?0"]),
  },
  {
    name: "ietf: append",
    method: "PATCH",
    scope: "append",
    path: standardUpload,
    foreign: "node",
    standard: ietf(partType, fromFour, ["Upload-Complete", "?1"]),
  },
  ...["HEAD", "GET"].map((method): TokenRoute => ({
    name: `ietf: status by ${method}`,
    method,
    scope: "read",
    path: standardUpload,
    foreign: "node",
    standard: ietf(),
  })),
  {
    name: "ietf: cancel",
    method: "DELETE",
    scope: "delete",
    path: standardUpload,
    foreign: "node",
    standard: ietf(["Upload-Draft-Interop-Version", "10"]),
  },
];

/** Where a request may carry a token. */
export interface Carried {
  /** Values of Authorization headers, each a line of its own. */
  readonly headers?: readonly string[];
  readonly query?: string;
  readonly body?: string;
}

export interface RoutedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/** The bytes of a request of this route with these credentials and all else in order. */
export function requestOf(
  route: TokenRoute,
  carried: Carried,
  of: { readonly appId: string; readonly belongings: Belongings },
): RoutedRequest {
  const { method, standard } = route;
  const { headers = [], query, body } = carried;
  const isNode = nodeRoutes.includes(route);
  const token = (value: string | undefined) => (value === undefined ? {} : { access_token: value });
  const path = route.path(of.appId, of.belongings);
  const inQuery = queryOf(token(query));
  const form = queryOf({ ...route.fields?.(of.belongings), ...token(body) });
  const joint = path.includes("?") ? "&" : "?";
  const hasBody = method === "POST" || method === "PATCH";
  const sent = isNode ? form : (body ?? "abcdef");
  const lines = headers.map((value): HeaderLine => ["Authorization", value]);
  const formType: HeaderLine = ["Content-Type", "application/x-www-form-urlencoded"];
  const own = standard?.headers ?? [["file_offset", "4"] as const, ...(hasBody ? [formType] : [])];
  const length: HeaderLine = ["Content-Length", `${Buffer.byteLength(sent)}`];
  return {
    method,
    path: inQuery === "" ? path : `${path}${joint}${inQuery}`,
    headers: [...lines, ...own, ...(hasBody ? [length] : [])],
    body: hasBody ? sent : "",
  };
}

/** An open upload of ten bytes with four of them, a handle, and a published file. */
export async function belongingsOf(api: GraphApi): Promise<Belongings> {
  const upload = await api.start({ file_length: 10 });
  const begun = await api.append({ id: upload, offset: 0, bytes: Buffer.from("%PDF") });
  if (begun.status !== 200) throw new Error(begun.body.toString());
  const [handle, published] = [
    await api.upload(Buffer.from("1")),
    await api.upload(Buffer.from("2")),
  ];
  return { upload, handle, file: await api.publish(published) };
}
