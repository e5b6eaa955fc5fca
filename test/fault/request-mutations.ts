import type { HeaderLine } from "../support/raw-http.ts";
import type { SeededRandom } from "../support/seeded.ts";
import type { RequestDraft } from "./request-draft.ts";

/** One way to make a request worse. */
export type Mutation = (draft: RequestDraft, random: SeededRandom) => RequestDraft;

const methods = [
  ...["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI"],
  ...["get", "POST\t", "M-SEARCH", "QUERY", "", " ", "G\u0000T", "POSTPOST", "X".repeat(300)],
];

const versions = [
  ...["HTTP/1.0", "HTTP/1.1 ", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/9.9", "HTTP/1", "HTTP/11"],
  ...["http/1.1", "", "ICE/1.0", "RTSP/1.0", "HTTP/1.1\u0000", "HTTP/1.1 HTTP/1.1"],
];

/** What a number may be replaced by. */
export const numbers = [
  ...["-1", "+0", "-0", "00", "01", "0x10", "1e3", "1E400", "1.0", ".5", "NaN", "Infinity", ""],
  ...["9007199254740991", "9007199254740992", "9007199254740993", "18446744073709551616"],
  ...[" 0", "0 ", "\t0", "0,0", "0;0", "0 0", "٣", "²", "0\u0000", "9".repeat(400), "1_000"],
];

const targetPieces = [
  ...["%", "%0", "%zz", "%00", "%0d%0aX:%201", "%2e%2e/", "../", "./", "//", "\\", "%5c", "%2f"],
  ...["?", "??", "?sig=", "&&", "=", "#", "#?", ";x=1", "&access_token=", "&fields=", "%3F", "%26"],
  ...["%ff%fe", "%c0%af", "%ed%a0%80", "\u00ff", "é", "日本", "\u0000", "\t", " ", "|", "<>", '"'],
  ...["upload:", "UPLOAD%3A", "v0.0/", "v9999.1/", "admin/", "content", "__proto__", "%u0041"],
];

const headerNames = [
  ...["Host", "Authorization", "Content-Length", "Transfer-Encoding", "file_offset", "file-offset"],
  ...[
    "Content-Type",
    "Expect",
    "Connection",
    "Upgrade",
    "Range",
    "If-Range",
    "If-None-Match",
    "TE",
  ],
  ...["Trailer", "Cookie", "X-Forwarded-For", "X-HTTP-Method-Override", "Content-Encoding"],
  ...["Keep-Alive", "Proxy-Connection", "HTTP2-Settings", "__proto__", "constructor", "toString"],
  ...["Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Defer-Length", "Upload-Metadata"],
  ...["Upload-Concat", "Upload-Checksum", "Upload-Complete", "Upload-Incomplete"],
  ...["Upload-Draft-Interop-Version", "Content-Digest", "Repr-Digest", "Want-Repr-Digest"],
  "Content-Disposition",
];

const headerValues = [
  ...["", " ", "0", "-1", "chunked", "chunked, chunked", "gzip, chunked", "identity", "xchunked"],
  ...["100-continue", "200-ok", "close", "keep-alive", "upgrade", "close, file_offset", "h2c"],
  ...[
    "websocket",
    "bytes=0-",
    "bytes=0-1,2-3",
    "*",
    "OAuth",
    "OAuth a b",
    "Bearer é",
    "Basic eA==",
  ],
  ...["application/json", "multipart/form-data", "multipart/form-data; boundary=", "a@b:99999/?#"],
  ...["1.0.0", "?1", "?0", "?2", "partial", "final;", "final;/uploads/a /uploads/b", "sha1 AAAA"],
  ...[
    "crc32 AAAAAA==",
    "sha-256=:AAAA:",
    "sha-256=:AAAA",
    "sha-256=1, sha-512=2",
    "a b,a c",
    "é b",
  ],
  ...["application/partial-upload", "application/offset+octet-stream", 'inline; filename="a'],
  ...["text/html; charset=\u00ff", "\u0000", "a\u0001b", "a\rb", "a\nb", "\u007f", "日本", "{}"],
];

function replaced<Item>(items: readonly Item[], index: number, item: Item): Item[] {
  return items.map((each, position) => (position === index ? item : each));
}

function insert(text: string, piece: string, at: number): string {
  return text.slice(0, at) + piece + text.slice(at);
}

const mangleMethod: Mutation = (draft, random) => ({ ...draft, method: random.pick(methods) });

const mangleVersion: Mutation = (draft, random) => ({ ...draft, version: random.pick(versions) });

const insertInTarget: Mutation = (draft, random) => {
  const at = random.integer(0, draft.target.length);
  return { ...draft, target: insert(draft.target, random.pick(targetPieces), at) };
};

const reshapeTarget: Mutation = (draft, random) => {
  const { target } = draft;
  const shapes: (() => string)[] = [
    () => `http://elsewhere.test${target}`,
    () => `http://user:pass@h:99999${target}`,
    () => `//elsewhere.test${target}`,
    () => target.slice(1),
    () => encodeURIComponent(target),
    () => target.replaceAll("?", "??"),
    () => target.replaceAll("?", "%3F"),
    () => target.toUpperCase(),
    () => `${target}${"?".repeat(random.integer(1, 2_000))}`,
    () => `${target}&${"a=b&".repeat(random.integer(1, 3_000))}`,
    () => `/${"../".repeat(random.integer(1, 300))}etc/passwd`,
    () => `${target}/${"x".repeat(random.pick([100, 8_000, 15_000, 40_000]))}`,
    () => target.slice(0, random.integer(0, target.length)),
    () => `${target}/`,
    () => random.pick(["*", "", "/", "elsewhere.test:443", "javascript:0", "/v21.0", "/v21.0/"]),
  ];
  return { ...draft, target: random.pick(shapes)() };
};

const encodeInTarget: Mutation = (draft, random) => {
  const at = random.integer(0, Math.max(0, draft.target.length - 1));
  const code = (draft.target.charCodeAt(at) || 0).toString(16).padStart(2, "0");
  return { ...draft, target: `${draft.target.slice(0, at)}%${code}${draft.target.slice(at + 1)}` };
};

const numberInTarget: Mutation = (draft, random) => ({
  ...draft,
  target: draft.target.replace(/(?<==)\d+|(?<=\/)\d+/, () => random.pick(numbers)),
});

const dropHeader: Mutation = (draft, random) => {
  const gone = random.integer(0, draft.headers.length - 1);
  return { ...draft, headers: draft.headers.filter((_, index) => index !== gone) };
};

const doubleHeader: Mutation = (draft, random) => {
  const [name, value] = draft.headers[random.integer(0, draft.headers.length - 1)] ?? ["Host", "b"];
  const again = random.fraction() < 0.5 ? value : random.pick(headerValues);
  return { ...draft, headers: [...draft.headers, [name, again]] };
};

const addHeader: Mutation = (draft, random) => {
  const line: HeaderLine = [random.pick(headerNames), random.pick(headerValues)];
  const at = random.integer(0, draft.headers.length);
  return { ...draft, headers: [...draft.headers.slice(0, at), line, ...draft.headers.slice(at)] };
};

const mangleHeader: Mutation = (draft, random) => {
  if (draft.headers.length === 0) return addHeader(draft, random);
  const index = random.integer(0, draft.headers.length - 1);
  const [name, value] = draft.headers[index] ?? ["X", ""];
  const shapes: readonly HeaderLine[] = [
    [name, random.pick(headerValues)],
    [`${name} `, value],
    [` ${name}`, value],
    [name.toUpperCase(), value],
    [`${name}\u0000`, value],
    ["", value],
    [name, `${value}\r\n folded`],
    [name, `${value}\r\n\tX: folded`],
    [name, `${value}\nX: smuggled`],
    [name, `${value}\rX: smuggled`],
    [name, insert(value, random.pick(targetPieces), random.integer(0, value.length))],
    [name, value.slice(0, random.integer(0, value.length))],
    [name, "x".repeat(random.pick([1_000, 17_000, 70_000]))],
    [name, `${value}, ${value}`],
  ];
  return { ...draft, headers: replaced(draft.headers, index, random.pick(shapes)) };
};

const manyHeaders: Mutation = (draft, random) => {
  const count = random.pick([50, 1_990, 2_005, 3_000]);
  const extra = Array.from({ length: count }, (): HeaderLine => ["a", ""]);
  return { ...draft, headers: [...extra, ...draft.headers] };
};

const numberInHeader: Mutation = (draft, random) => {
  const index = draft.headers.findIndex(([, value]) => /^\d+$/.test(value));
  const [name] = draft.headers[index] ?? ["file_offset"];
  const line: HeaderLine = [name, random.pick(numbers)];
  const headers = index < 0 ? [...draft.headers, line] : replaced(draft.headers, index, line);
  return { ...draft, headers };
};

const jsonBombs: readonly string[] = [
  "[".repeat(50_000),
  `{"access_token":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
  `{"components":${'[{"a":'.repeat(5_000)}0${"}]".repeat(5_000)}}`,
  '{"access_token":{"toString":1,"valueOf":1}}',
  '{"handle":{"toString":1},"file_name":{"length":3}}',
  '{"components":[{"example":{"header_handle":[{"toString":1},null,[],1]}}]}',
  '{"components":[null,1,"x",[[]]],"category":{"a":1}}',
  '{"__proto__":{"admin":true},"constructor":1,"file_length":1e999}',
  '{"file_name":"\\ud800","file_length":"1","file_type":"application/pdf","name":"\\udfff"}',
  '{"file_length":-0,"file_name":null,"file_type":true,"handle":false,"title":[]}',
  `{"name":"${"x".repeat(300_000)}"}`,
  `{${'"a":1,'.repeat(20_000)}"a":2}`,
  '{"a":1}}',
  "null",
  '"text"',
  "\u0000",
  "",
];

const jsonBody: Mutation = (draft, random) => ({
  ...draft,
  method: "POST",
  headers: [
    ...draft.headers.filter(([name]) => name !== "Content-Type"),
    ["Content-Type", "application/json"],
  ],
  body: Buffer.from(random.pick(jsonBombs)),
});

/** One value of a JSON body becomes something of another type. */
const jsonValue: Mutation = (draft, random) => {
  const values = [
    "null",
    "[]",
    "{}",
    "1e999",
    "-1",
    "true",
    '"\\u0000"',
    '{"toString":1}',
    "[[1]]",
  ];
  const text = draft.body.toString();
  if (!text.startsWith("{")) return jsonBody(draft, random);
  const strange = random.pick(values);
  const body = text.replace(/:("(?:[^"\\]|\\.)*"|\d+)/, () => `:${strange}`);
  return { ...draft, body: Buffer.from(body) };
};

const otherType: Mutation = (draft, random) => {
  const types = [
    ...["text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/mixed"],
    ...[
      "multipart/form-data",
      "multipart/form-data; boundary=x",
      "application/json; charset=utf-16",
    ],
    ...[`multipart/form-data; boundary="${"b".repeat(80)}"`, 'multipart/form-data;boundary="a b"'],
  ];
  const rest = draft.headers.filter(([name]) => name !== "Content-Type");
  return { ...draft, headers: [...rest, ["Content-Type", random.pick(types)]] };
};

const mangleBody: Mutation = (draft, random) => {
  const { body } = draft;
  const at = random.integer(0, body.length);
  const shapes: (() => Buffer)[] = [
    () => body.subarray(0, at),
    () => Buffer.concat([body, random.bytes(random.integer(1, 3_000))]),
    () => Buffer.concat([body.subarray(0, at), random.bytes(9), body.subarray(at)]),
    () => Buffer.from(body.toString("latin1").replaceAll("----edge", "--edge"), "latin1"),
    () => Buffer.from(body.toString("latin1").replaceAll("\r\n", "\n"), "latin1"),
    () => Buffer.from(body.toString("latin1").replace('name="', "name="), "latin1"),
    () => random.bytes(random.pick([1, 1_000, 70_000])),
    () => Buffer.from("a=b&".repeat(20_000)),
    () => Buffer.from(`\r\n------edge7MA4YWxk`.repeat(3_000)),
  ];
  return { ...draft, body: random.pick(shapes)() };
};

/** All that is done to a request while it is still one. */
export const mutations: readonly Mutation[] = [
  mangleMethod,
  mangleVersion,
  insertInTarget,
  insertInTarget,
  reshapeTarget,
  reshapeTarget,
  encodeInTarget,
  numberInTarget,
  dropHeader,
  doubleHeader,
  addHeader,
  mangleHeader,
  mangleHeader,
  manyHeaders,
  numberInHeader,
  numberInHeader,
  jsonBody,
  jsonValue,
  otherType,
  mangleBody,
  mangleBody,
];
