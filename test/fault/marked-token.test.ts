import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { GraphApi, queryOf, uploadPath } from "../conformance/graph/graph-api.ts";
import { uuidOf } from "../support/dialect-wire.ts";
import { type HeaderLine } from "../support/raw-http.ts";
import { ServerProcess } from "../support/server-process.ts";
import { adminTokenOf } from "./hostile-setting.ts";
import { sendRaw } from "./raw-trial.ts";
import {
  belongingsOf,
  nodeRoutes,
  requestOf,
  standardRoutes,
  uploadRoutes,
} from "./token-routes.ts";
import { recordBadInput } from "./record-bad-input.ts";

/*
 * Secrets with marks in them go everywhere a secret can go, right or wrong. Afterwards no mark may
 * be in the log at its finest, nor in a file of the data directory, in any usual writing.
 */

const secrets = {
  token: "MARKtoken0123456789abcdef",
  appSecret: "MARKsecret0123456789abcdef",
  key: "MARKkey0123456789abcdefghijklmnop",
  /** Nobody's; people paste the wrong thing as well. */
  stranger: "MARKstranger0123456789",
};

let server: ServerProcess;
let api: GraphApi;
let minted: string;
let sent = 0;
let logged: readonly string[] = [];

interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Each file of the data directory but the one that is there to hold the server's own tokens. */
async function files(): Promise<Place[]> {
  const entries = await readdir(server.dataDirectory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name !== "local-credentials.json")
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(paths.map(async (name) => ({ name, bytes: await readFile(name) })));
}

/** As it is, percent-encoded in full, in hex, and in base64 at each of the three alignments. */
function writingsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const aligned = [0, 1, 2].map((lead) => {
    const text = Buffer.concat([Buffer.alloc(lead), bytes]).toString("base64url");
    // The characters at both ends depend on what stands beside the secret.
    return text.slice(Math.ceil((lead * 4) / 3), -3);
  });
  const texts = [
    secret,
    encodeURIComponent(secret),
    percent,
    percent.toUpperCase(),
    bytes.toString("hex"),
    ...aligned,
    ...aligned.map((text) => text.replaceAll("-", "+").replaceAll("_", "/")),
  ];
  return texts.map((text) => Buffer.from(text));
}

function leaks(places: readonly Place[], marked: readonly string[]): string[] {
  const writings = marked.flatMap(writingsOf);
  return places
    .filter(({ bytes }) => writings.some((writing) => bytes.includes(writing)))
    .map(({ name }) => name);
}

async function raw(bytes: string | Buffer): Promise<void> {
  sent += 1;
  const slices = [Buffer.from(bytes)];
  const settled = (received: Buffer): boolean => received.length > 0;
  await sendRaw({ host: "127.0.0.1", port: server.port }, { slices, settled, quietMs: 200 });
}

function written(first: string, headers: readonly HeaderLine[], body: string): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${first} HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
}

/** Every route, with the secret in each place. */
async function everyRoute(secret: string): Promise<void> {
  const { appId } = api;
  const belongings = await belongingsOf(api);
  for (const route of [...nodeRoutes, ...uploadRoutes, ...standardRoutes]) {
    for (const carried of [
      { headers: [`OAuth ${secret}`] },
      { headers: [`Bearer ${secret}`] },
      { headers: [secret] },
      { headers: [`OAuth ${secret}`, `OAuth ${secret}`] },
      { headers: [`OAuth ${secret} ${secret}`] },
      { query: secret },
      { body: secret },
      { headers: [`OAuth ${secrets.stranger}x`], query: secret },
    ]) {
      const { method, path, headers, body } = requestOf(route, carried, { appId, belongings });
      await raw(written(`${method} ${path}`, headers, body));
    }
  }
}

/** In headers of the standard protocols that a secret has no business in. */
function standardMistakes(secret: string, uuid: string): string[] {
  const authorization: HeaderLine = ["Authorization", `Bearer ${secret}`];
  const tus: HeaderLine = ["Tus-Resumable", "1.0.0"];
  const complete: HeaderLine = ["Upload-Complete", "?1"];
  const pasted = ["Upload-Offset", "Upload-Length", "Upload-Checksum", "Content-Digest"] as const;
  return pasted.flatMap((name) => [
    written(`PATCH /uploads/${uuid}`, [authorization, tus, [name, secret]], ""),
    written(`PATCH /uploads/${uuid}`, [authorization, complete, [name, secret]], ""),
    written("POST /uploads", [authorization, ["Tus-Resumable", secret], [name, secret]], ""),
    written("POST /uploads", [tus, ["Upload-Concat", secret], [name, secret]], ""),
  ]);
}

/** Requests that are wrong, elsewhere, or not requests. */
async function everyMistake(secret: string): Promise<void> {
  const encoded = encodeURIComponent(secret);
  const query = `access_token=${encoded}`;
  const authorization: HeaderLine = ["Authorization", `OAuth ${secret}`];
  const json = (value: unknown): readonly [HeaderLine[], string] => {
    const body = typeof value === "string" ? value : JSON.stringify(value);
    const type: HeaderLine = ["Content-Type", "application/json"];
    return [[authorization, type, ["Content-Length", `${Buffer.byteLength(body)}`]], body];
  };
  const id = await api.start();
  const firsts = [
    `GET /?${query}`,
    `GET /nothing?${query}`,
    `GET /v21.0/nothing?${query}`,
    `PUT /v21.0/app/uploads?${query}`,
    `GET /healthz?${query}`,
    `GET /admin/v1/apps?${query}`,
    `GET /admin/v1/nothing?${query}`,
    `GET /api/v1/me?${query}`,
    `GET /previews/f.1.1?sig=${encoded}`,
    `GET ${uploadPath(id)}&${query}`,
    `GET ${uploadPath(id).replace("?", "%3F")}%26${query}`,
    `GET /v21.0/app/files%3F${query}`,
    `GET /v21.0/app/files;${query}`,
    `GET /v21.0/app/files#${query}`,
    `GET /v21.0/app/files??${query}`,
    `GET /nothing%3F${query}`,
    `GET http://elsewhere.test/v21.0/app/files?${query}`,
    `GET http://${encoded}@elsewhere.test/v21.0/app/files`,
    `GET /v21.0/app/files?after=${encoded}&${query}`,
    `GET /v21.0/app/files?limit=${encoded}&${query}`,
    `GET /v21.0/app/files?${query}&x=${"y".repeat(14_000)}`,
    `GET /v21.0/app/files?${query}&x=${"y".repeat(40_000)}`,
    `POST /uploads?${query}`,
    `HEAD /uploads/${uuidOf(id)}?${query}`,
    `GET /uploads/${uuidOf(id)}%3F${query}`,
    `DELETE /uploads/none?${query}`,
    `OPTIONS /uploads?${query}`,
    `CONNECT a:80?${query}`,
    `XGET /v21.0/app/files?${query}`,
  ];
  for (const first of firsts) {
    await raw(written(first, [], ""));
    await raw(written(first, [authorization], ""));
  }
  const cut = written(`POST /v21.0/app/uploads?${query}`, ...json({ access_token: secret }));
  const mangled = [
    cut.slice(0, -5),
    cut.replace(": OAuth", " OAuth"),
    cut.replaceAll("\r\n", "\n"),
    cut.replace(/Content-Length: \d+/, "Transfer-Encoding: chunked"),
    cut.replace("HTTP/1.1", "HTTP/9.9"),
    written(`POST /v21.0/app/uploads`, ...json(`{"access_token":"${secret}"`)),
    written(`POST /v21.0/app/files`, ...json({ handle: secret, access_token: [secret] })),
    written(`POST /admin/v1/tokens`, ...json(`{"appId":"${secret}`)),
    written(`POST /admin/v1/tokens`, ...json({ appId: secret, scopes: [secret] })),
    written(`POST /admin/v1/tokens/revoke`, ...json({ token: `${secret}no` })),
    written(`POST /admin/v1/apps`, ...json({ secret, unknown: secret })),
    written(`POST /api/v1/previews`, ...json({ upload: secret })),
    written(`POST /api/v1/previews`, ...json({ file: secret.slice(0, 64), more: secret })),
    written(`POST ${uploadPath(id)}`, [authorization, ["file_offset", secret]], ""),
    written(`GET /v21.0/1/content`, [authorization, ["Range", secret]], ""),
    ...standardMistakes(secret, uuidOf(id)),
    `${secret}\r\n\r\n`,
    secret,
  ];
  for (const bytes of mangled) await raw(bytes);
}

beforeAll(async () => {
  const { token, appSecret, key } = secrets;
  server = await ServerProcess.start({
    token,
    appSecret,
    environment: { HAWSER_KEY: key },
    extraArguments: ["--log-level", "trace"],
    logLinesMax: 100_000,
  });
  api = new GraphApi({ url: server.address, appId: server.appId, token });
  const administration = api.as({ token: await adminTokenOf(server) });
  const made = await administration.postJson("/admin/v1/tokens", { appId: api.appId, label: "m" });
  minted = made.text("token");
  const { appId } = api;
  const appToken = `${appId}|${appSecret}`;
  for (const secret of [token, minted, appToken, secrets.stranger]) {
    await everyRoute(secret);
    await everyMistake(secret);
  }
  await administration.request({
    method: "PATCH",
    path: `/admin/v1/apps/${appId}`,
    headers: { ...administration.authorization, "Content-Type": "application/json" },
    body: JSON.stringify({ secret: `${appSecret}2` }),
  });
  await administration.get(`/admin/v1/apps/${appId}`);
  // A crash in the middle of an append: what is recovered is looked at, too.
  const id = await api.start({ file_length: 1_000_000 });
  await raw(
    written(
      `POST ${uploadPath(id)}`,
      [
        ["Authorization", `OAuth ${token}`],
        ["file_offset", "0"],
        ["Content-Length", "1000000"],
      ],
      "x".repeat(300_000),
    ),
  );
  await server.kill9();
  await server.restart();
  const again = new GraphApi({ url: server.address, appId, token });
  await again.startWith({ ...queryFields, access_token: token });
  await again.startWith({ ...queryFields, access_token: secrets.stranger });
  logged = server.logLines;
}, 120_000);

const queryFields = { file_name: "a.pdf", file_length: "5", file_type: "application/pdf" };

afterAll(async () => {
  await server.remove();
});

const marked = (): string[] => [
  ...Object.values(secrets),
  `${secrets.appSecret}2`,
  minted,
  minted.slice("hws_".length),
];

describe("a secret with a mark", () => {
  it("would be found: each writing of it in a line or a file is", () => {
    const secret = secrets.token;
    const around = [
      `"${secret}"`,
      queryOf({ access_token: `${secret}|&` }),
      Buffer.from(`x${secret}y`).toString("base64"),
      Buffer.from(`xx${secret}yy`).toString("base64url"),
      Buffer.from(`xxx${secret}yyy`).toString("base64"),
      Buffer.from(secret).toString("hex"),
    ];
    const places = around.map((text, index) => ({ name: `${index}`, bytes: Buffer.from(text) }));
    expect(leaks(places, [secret])).toEqual(places.map(({ name }) => name));
  });

  it("is in no line of the log, at its finest, over a crash", () => {
    const answered = logged.filter((line) => line.includes('"msg":"answered"'));
    expect(answered.length, "the log must have been written").toBeGreaterThan(sent / 2);
    const lines = logged.map((line) => ({ name: line, bytes: Buffer.from(line) }));
    expect(leaks(lines, marked())).toEqual([]);
  });

  it("is in no file of the data directory, running or stopped", async () => {
    expect(leaks(await files(), marked())).toEqual([]);
    await server.terminate();
    const stopped = await files();
    expect(stopped.map(({ name }) => name)).toContain(join(server.dataDirectory, "catalog.sqlite"));
    expect(leaks(stopped, marked())).toEqual([]);
  });

  it("that was configured or minted is not among the local credentials either", async () => {
    const path = join(server.dataDirectory, "local-credentials.json");
    expect(leaks([{ name: path, bytes: await readFile(path) }], marked())).toEqual([]);
    await recordBadInput({
      fault: "marked secrets in every place of every route, looked for in log and data",
      n: sent,
      seed: 0,
    });
  });
});
