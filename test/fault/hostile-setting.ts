import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";

import { GraphApi, uploadPath } from "../conformance/graph/graph-api.ts";
import { dialects } from "../support/dialect-wire.ts";
import { patternBytes } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { GraphPeer } from "./graph-peer.ts";

/** What the requests under trial name: real ids and secrets, so that they get past the first check. */
export interface Fodder {
  readonly appId: string;
  readonly token: string;
  readonly appToken: string;
  readonly expiredToken: string;
  readonly readOnlyToken: string;
  readonly adminToken: string;
  /** An app that administration may change at will. */
  readonly changedAppId: string;
  /** Graph's ids, of what each of the protocols created. */
  readonly uploads: readonly string[];
  readonly handles: readonly string[];
  readonly files: readonly string[];
  /** Another app's, whose token is never sent. */
  readonly victimAppId: string;
  readonly victimUploads: readonly string[];
  readonly victimFiles: readonly string[];
}

type Secrets = Pick<Fodder, "token" | "appToken" | "expiredToken" | "readOnlyToken" | "adminToken">;

interface VictimUpload {
  readonly id: string;
  readonly seed: number;
  readonly length: number;
  readonly offset: number;
}

interface VictimFile {
  readonly id: string;
  readonly seed: number;
  readonly length: number;
}

const otherAppId = "5550000000000001";
const changedAppId = "5550000000000002";
export const fodderUploadLength = 20_000;

export async function adminTokenOf(server: ServerProcess): Promise<string> {
  const file = await readFile(join(server.dataDirectory, "local-credentials.json"), "utf8");
  const token = /"adminToken":\s*"([^"]+)"/.exec(file)?.[1];
  if (token === undefined) throw new Error("the server left no token for its administration");
  return token;
}

/**
 * Two apps on one server. The requests under trial carry the credentials of one; what the other
 * had before must be there, byte for byte, afterwards.
 */
export class HostileSetting {
  readonly #victim: GraphApi;
  readonly #other: GraphApi;
  readonly #secrets: Secrets;
  readonly #uploads: readonly VictimUpload[];
  readonly #files: readonly VictimFile[];

  private constructor(parts: {
    victim: GraphApi;
    other: GraphApi;
    secrets: Secrets;
    uploads: readonly VictimUpload[];
    files: readonly VictimFile[];
  }) {
    this.#victim = parts.victim;
    this.#other = parts.other;
    this.#secrets = parts.secrets;
    this.#uploads = parts.uploads;
    this.#files = parts.files;
  }

  static async prepare(server: ServerProcess): Promise<HostileSetting> {
    const { address: url, appId, token } = server;
    const victim = new GraphApi({ url, appId, token });
    const adminToken = await adminTokenOf(server);
    const administration = victim.as({ token: adminToken });
    const secret = "other-app-secret-0123456789";
    for (const id of [otherAppId, changedAppId]) {
      const made = await administration.postJson("/admin/v1/apps", { id, secret });
      expect(made.status, made.body.toString()).toBe(201);
    }
    const mint = async (more: object): Promise<string> => {
      const body = { appId: otherAppId, ...more };
      return (await administration.postJson("/admin/v1/tokens", body)).text("token");
    };
    const secrets = {
      adminToken,
      token: await mint({}),
      appToken: `${otherAppId}|${secret}`,
      expiredToken: await mint({ expiresAt: "2001-01-01T00:00:00Z" }),
      readOnlyToken: await mint({ scopes: ["read"] }),
    };
    const other = victim.as({ appId: otherAppId, token: secrets.token });
    const uploads = await Promise.all(
      [0, 1, 15_999, 70_000, 299_999].map((offset, index) =>
        openUpload(victim, { seed: 900 + index, length: 300_000, offset }),
      ),
    );
    const files = await Promise.all(
      [1, 5_000, 200_000].map((length, index) =>
        publishedFile(victim, { seed: 950 + index, length }),
      ),
    );
    return new HostileSetting({ victim, other, secrets, uploads, files });
  }

  /** A fresh set of things that the requests under trial may use up. */
  async fodder(): Promise<Fodder> {
    const several = Array.from({ length: 6 }, (_, index) => index);
    const { appId, token, url } = this.#other;
    const peer = new GraphPeer({ appId, token, url: url.origin, port: Number(url.port) });
    const uploads = several.map(async (index) => {
      const dialect = dialects[index % dialects.length] ?? "graph";
      return peer.createOrFail(fodderUploadLength, dialect);
    });
    const openUploads = [peer.createOrFail(undefined, "tus"), peer.createOrFail(undefined, "ietf")];
    const handles = several.map(async () => this.#other.upload(Buffer.from("%PDF-1")));
    const files = several.map(async (index) =>
      this.#other.publish(await this.#other.upload(patternBytes({ seed: index, length: 3_000 }))),
    );
    return {
      ...this.#secrets,
      appId: otherAppId,
      changedAppId,
      uploads: await Promise.all([...uploads, ...openUploads]),
      handles: await Promise.all(handles),
      files: await Promise.all(files),
      victimAppId: this.#victim.appId,
      victimUploads: this.#uploads.map(({ id }) => id),
      victimFiles: this.#files.map(({ id }) => id),
    };
  }

  /** Everything is where it was, and every upload can be finished. Answers how many there were. */
  async expectUnharmed(): Promise<number> {
    for (const { id, seed, length, offset } of this.#uploads) {
      expect(await this.#victim.offset(id), "a victim's offset").toBe(offset);
      const bytes = patternBytes({ seed, start: offset, length: length - offset });
      const done = await this.#victim.append({ id, offset, bytes });
      expect(done.status, done.body.toString()).toBe(200);
      const fileId = await this.#victim.publish(done.text("h"));
      await this.#expectBytes(fileId, { seed, length });
    }
    for (const { id, seed, length } of this.#files) await this.#expectBytes(id, { seed, length });
    const listed = (await this.#victim.get(uploadsOf(this.#victim.appId))).records("data");
    expect(listed, "uploads of the victim's app").toHaveLength(
      this.#uploads.length + this.#files.length,
    );
    return this.#uploads.length + this.#files.length;
  }

  async #expectBytes(fileId: string, of: { seed: number; length: number }): Promise<void> {
    const bytes = await this.#victim.content(fileId);
    expect(bytes.equals(patternBytes(of)), `the bytes of ${fileId}`).toBe(true);
  }
}

function uploadsOf(appId: string): string {
  return `/v21.0/${appId}/uploads?limit=100`;
}

async function openUpload(
  api: GraphApi,
  of: { seed: number; length: number; offset: number },
): Promise<VictimUpload> {
  const id = await api.start({ file_length: of.length });
  const bytes = patternBytes({ seed: of.seed, length: of.offset });
  const answer = await api.append({ id, offset: 0, bytes });
  if (answer.status !== 200) throw new Error(`${uploadPath(id)}: ${answer.body.toString()}`);
  return { id, ...of };
}

async function publishedFile(
  api: GraphApi,
  of: { seed: number; length: number },
): Promise<VictimFile> {
  return { id: await api.publish(await api.upload(patternBytes(of))), ...of };
}
