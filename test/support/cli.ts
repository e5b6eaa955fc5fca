import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { environmentWithoutHawser, sourceProgram } from "./server-process.ts";

const run = promisify(execFile);

export type Scope = "create" | "append" | "read" | "publish" | "delete" | "admin";

export const everyUploadScope: readonly Scope[] = ["create", "append", "read", "publish", "delete"];

export interface AppOptions {
  readonly id: string;
  readonly secret: string;
  /** MIME types an upload may declare; the server's own choice when left out. */
  readonly types?: readonly string[];
  /** Largest file in bytes. */
  readonly lengthMax?: number;
  /** What happens to bytes that are not of the declared type. */
  readonly contentPolicy?: "off" | "warn" | "reject";
  /** When a file's SHA-256 is computed. */
  readonly digestPolicy?: "on_request" | "on_publish";
  /** What all open uploads together may still bring. */
  readonly roomBytesMax?: number;
  /** How long an upload stays open. */
  readonly lifetimeSeconds?: number;
}

export interface TokenOptions {
  readonly app: string;
  readonly scopes: readonly Scope[];
  readonly expiresInSeconds?: number;
}

/** The `hawser` command on one data directory: what an operator would type, and its JSON. */
export class Cli {
  readonly #dataDirectory: string;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  async createApp(options: AppOptions): Promise<void> {
    const { id, secret, types, lengthMax, contentPolicy, lifetimeSeconds } = options;
    const { digestPolicy, roomBytesMax } = options;
    const wishes = [
      ["--types", types?.join(",")],
      ["--length-max", lengthMax],
      ["--content-policy", contentPolicy],
      ["--digest-policy", digestPolicy],
      ["--room-bytes-max", roomBytesMax],
      ["--lifetime-seconds", lifetimeSeconds],
    ] as const;
    const flags = wishes.flatMap(([flag, value]) =>
      value === undefined ? [] : [flag, `${value}`],
    );
    await this.run(["app", "create", "--id", id, "--secret", secret, ...flags]);
  }

  async createToken({ app, scopes, expiresInSeconds }: TokenOptions): Promise<string> {
    const named = ["--app", app, "--scopes", scopes.join(",")];
    const expiry =
      expiresInSeconds === undefined ? [] : ["--expires-in-seconds", `${expiresInSeconds}`];
    const answer = await this.run(["token", "create", ...named, ...expiry]);
    const token = /"token"\s*:\s*"([^"]+)"/.exec(answer)?.[1];
    if (token === undefined) throw new Error(`token create printed no token: ${answer}`);
    return token;
  }

  async revokeToken(token: string): Promise<void> {
    await this.run(["token", "revoke", token]);
  }

  /** Runs one command and answers what it printed; a failure carries what it complained about. */
  async run(command: readonly string[]): Promise<string> {
    const data = ["--data", this.#dataDirectory, "--json"];
    const { stdout } = await run(process.execPath, [...sourceProgram, ...command, ...data], {
      env: environmentWithoutHawser(),
      timeout: 60_000, // a hang guard
    });
    return stdout;
  }
}
