import type { HeaderLine } from "../support/raw-http.ts";
import { patternBytes, type SeededRandom } from "../support/seeded.ts";
import { type Fodder, fodderUploadLength } from "./hostile-setting.ts";
import { draft, type Maker, type RequestDraft, type Template, uploadOf } from "./request-draft.ts";
import { standardTemplates } from "./standard-grammar.ts";

const boundary = "----edge7MA4YWxk";

function withBody(made: RequestDraft, type: string, body: string | Buffer): RequestDraft {
  return {
    ...made,
    headers: [...made.headers, ["Content-Type", type]],
    body: Buffer.from(body),
  };
}

function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

function multipart(fields: Readonly<Record<string, string>>): string {
  const pieces = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return `${pieces.join("")}--${boundary}--\r\n`;
}

/** The same fields in one of the bodies that Graph reads, or in the query. */
function withFields(
  random: SeededRandom,
  made: RequestDraft,
  fields: Readonly<Record<string, string>>,
): RequestDraft {
  switch (random.integer(0, 3)) {
    case 0:
      return { ...made, target: `${made.target}?${form(fields)}` };
    case 1:
      return withBody(made, "application/x-www-form-urlencoded", form(fields));
    case 2:
      return withBody(made, "application/json", JSON.stringify(fields));
    default:
      return withBody(made, `multipart/form-data; boundary=${boundary}`, multipart(fields));
  }
}

/** Mostly the good token; else each of the others there are, or none. */
function tokenOf({ random, fodder }: Maker): string {
  if (random.fraction() < 0.75) return fodder.token;
  const { appToken, expiredToken, readOnlyToken } = fodder;
  return random.pick([appToken, expiredToken, readOnlyToken, "nobody-knows-it", ""]);
}

function signed(maker: Maker, made: RequestDraft): RequestDraft {
  const { random } = maker;
  const token = tokenOf(maker);
  if (token === "") return made;
  if (random.fraction() < 0.8) {
    const line: HeaderLine = ["Authorization", `${random.pick(["OAuth", "Bearer"])} ${token}`];
    return { ...made, headers: [line, ...made.headers] };
  }
  const joint = made.target.includes("?") ? "&" : "?";
  return { ...made, target: `${made.target}${joint}${form({ access_token: token })}` };
}

const versionOf = ({ random }: Maker): string => random.pick(["/v21.0", "/v21.0", "/v3.2", ""]);

function fileOf({ random, fodder }: Maker): string {
  return random.pick(random.fraction() < 0.7 ? fodder.files : fodder.victimFiles);
}

function appOf({ random, fodder }: Maker): string {
  return random.pick(["app", fodder.appId, fodder.appId, fodder.victimAppId]);
}

function start(maker: Maker): RequestDraft {
  const { random } = maker;
  const made = draft("POST", `${versionOf(maker)}/${appOf(maker)}/uploads`);
  return withFields(random, made, {
    file_name: random.pick(["a.pdf", "größe ✓.pdf", "x".repeat(255)]),
    file_length: `${random.integer(1, 100_000)}`,
    file_type: random.pick(["application/pdf", "image/png"]),
  });
}

function append(maker: Maker): RequestDraft {
  const { random } = maker;
  const offset = random.fraction() < 0.6 ? 0 : random.integer(0, fodderUploadLength);
  const length = random.pick([0, 1, 100, fodderUploadLength - offset, fodderUploadLength + 1]);
  return draft("POST", `${versionOf(maker)}/${uploadOf(maker)}`, {
    headers: [["file_offset", `${offset}`]],
    body: patternBytes({ seed: random.word(), length }),
  });
}

function status(maker: Maker): RequestDraft {
  const asked = maker.random.pick(["", "&fields=crc32,status,h", "&fields=id", "&fields=none"]);
  return draft("GET", `${versionOf(maker)}/${uploadOf(maker)}${asked}`);
}

function cancel(maker: Maker): RequestDraft {
  return draft("DELETE", `${versionOf(maker)}/${uploadOf(maker)}`);
}

function list(maker: Maker): RequestDraft {
  const { random } = maker;
  const edge = random.pick(["uploads", "files"]);
  const asked = random.pick(["", "?limit=3", "?limit=2&status=open", "?after=MTIz", "?status=no"]);
  return draft("GET", `${versionOf(maker)}/${appOf(maker)}/${edge}${asked}`);
}

function publish(maker: Maker): RequestDraft {
  const { random, fodder } = maker;
  const made = draft("POST", `${versionOf(maker)}/${appOf(maker)}/files`);
  return withFields(random, made, {
    handle: random.pick(fodder.handles),
    name: "published.pdf",
    description: "ein Satz",
  });
}

function node(maker: Maker): RequestDraft {
  const asked = maker.random.pick(["", "?fields=id,name,sha256,url", "?fields=x"]);
  const method = maker.random.fraction() < 0.9 ? "GET" : "DELETE";
  return draft(method, `${versionOf(maker)}/${fileOf(maker)}${asked}`);
}

function content(maker: Maker): RequestDraft {
  const { random } = maker;
  const range = random.pick([
    "bytes=0-9",
    "bytes=-5",
    "bytes=2990-",
    "bytes=0-0,2-3",
    "bytes=9-1",
    "bytes=99999-",
    "lines=1-2",
  ]);
  const headers: HeaderLine[] = random.fraction() < 0.7 ? [["Range", range]] : [];
  if (random.fraction() < 0.2) headers.push([random.pick(["If-Range", "If-None-Match"]), '"x"']);
  return draft(random.pick(["GET", "HEAD"]), `${versionOf(maker)}/${fileOf(maker)}/content`, {
    headers,
  });
}

function consumer(maker: Maker): RequestDraft {
  const { random, fodder } = maker;
  const handle = random.pick(fodder.handles);
  const at = (edge: string) => draft("POST", `${versionOf(maker)}/1122334455/${edge}`);
  switch (random.integer(0, 2)) {
    case 0: {
      const edge = random.pick(["videos", "advideos"]);
      return withFields(random, at(edge), { fbuploader_video_file_chunk: handle, title: "t" });
    }
    case 1:
      return withFields(random, at("whatsapp_business_profile"), {
        messaging_product: "whatsapp",
        profile_picture_handle: handle,
      });
    default:
      return withFields(random, at("message_templates"), {
        category: "MARKETING",
        components: JSON.stringify([{ type: "HEADER", example: { header_handle: [handle] } }]),
      });
  }
}

function administer(maker: Maker): RequestDraft {
  const { random, fodder } = maker;
  const app = `/admin/v1/apps/${fodder.changedAppId}`;
  const json = (method: string, target: string, value: object) =>
    withBody(draft(method, target), "application/json", JSON.stringify(value));
  const made = random.pick([
    draft("GET", app),
    draft("GET", `/admin/v1/tokens?app=${fodder.changedAppId}`),
    json("PATCH", app, { name: "changed", lengthMax: random.integer(1, 1e9), types: ["a/b"] }),
    json("POST", "/admin/v1/tokens/revoke", { token: "nobody-knows-it" }),
    json("POST", "/admin/v1/sweep", { dryRun: true }),
    json("POST", "/admin/v1/uploads/nobody/cancel", {}),
    json("POST", "/api/v1/previews", { file: "nobody" }),
    draft("GET", "/api/v1/me"),
    draft("GET", "/previews/f.1.1?sig=none"),
  ]);
  // Rare, because what these make is listed for ever: the server's memory is watched.
  const rare = random.pick([
    json("POST", "/admin/v1/apps", { name: "made by a trial", contentPolicy: "warn" }),
    json("POST", "/admin/v1/tokens", { appId: fodder.changedAppId, scopes: ["read"] }),
    // Refused for its body: a whole check reads every byte there is, which is no attack here.
    json("POST", "/admin/v1/verify", { unknown: 1 }),
    draft("GET", "/admin/v1/apps"),
  ]);
  const chosen = random.fraction() < 0.05 ? rare : made;
  const token = random.fraction() < 0.8 ? fodder.adminToken : fodder.token;
  return { ...chosen, headers: [["Authorization", `Bearer ${token}`], ...chosen.headers] };
}

function health({ random }: Maker): RequestDraft {
  return draft(random.pick(["GET", "HEAD"]), random.pick(["/healthz", "/readyz", "/", "/none"]));
}

/** Every route there is, the more delicate ones more often. */
const graphTemplates: readonly Template[] = [
  start,
  start,
  append,
  append,
  append,
  status,
  cancel,
  list,
  publish,
  node,
  content,
  content,
  consumer,
];

/** A request as a good client might send it, of any route. */
export function validRequest(random: SeededRandom, fodder: Fodder): RequestDraft {
  const maker = { random, fodder };
  const drawn = random.fraction();
  if (drawn < 0.08) return administer(maker);
  if (drawn < 0.12) return health(maker);
  if (drawn < 0.45) return signed(maker, random.pick(standardTemplates)(maker));
  return signed(maker, random.pick(graphTemplates)(maker));
}
