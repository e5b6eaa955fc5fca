import { z } from "zod";
import type {
  AdministrationApi,
  AppChanges,
  NewApp,
  NewTokenRequest,
} from "../service/administration.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { tame } from "./output.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const objectSchema = z.record(z.string(), z.unknown());
const listSchema = z.object({ data: z.array(objectSchema) });
const revokedSchema = z.object({ revoked: z.boolean() });
const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/** The administration of the server that runs, over HTTP. */
export class RemoteAdministration implements AdministrationApi {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  async createApp(wanted: NewApp): Promise<object> {
    return objectSchema.parse((await this.#call("POST", "apps", wanted)).body);
  }

  async listApps(): Promise<readonly object[]> {
    return listSchema.parse((await this.#call("GET", "apps")).body).data;
  }

  async showApp(id: string): Promise<object | undefined> {
    return found(await this.#call("GET", `apps/${encodeURIComponent(id)}`));
  }

  async updateApp(id: string, changes: AppChanges): Promise<object | undefined> {
    return found(await this.#call("PATCH", `apps/${encodeURIComponent(id)}`, changes));
  }

  async createToken(wanted: NewTokenRequest): Promise<object> {
    return objectSchema.parse((await this.#call("POST", "tokens", wanted)).body);
  }

  async listTokens(appId?: string): Promise<readonly object[]> {
    const query = appId === undefined ? "" : `?app=${encodeURIComponent(appId)}`;
    return listSchema.parse((await this.#call("GET", `tokens${query}`)).body).data;
  }

  async revokeToken(idOrToken: string): Promise<boolean> {
    const answer = await this.#call("POST", "tokens/revoke", { token: idOrToken });
    return revokedSchema.parse(answer.body).revoked;
  }

  async sweep(options: { readonly dryRun: boolean }): Promise<object> {
    return objectSchema.parse((await this.#call("POST", "sweep", options)).body);
  }

  async verify(): Promise<object> {
    return objectSchema.parse((await this.#call("POST", "verify", {})).body);
  }

  async #call(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await this.#fetch(path, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok && answer.status !== 404) throw await refusal(answer);
    return { status: answer.status, body: await readJson(answer) };
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#url}/admin/v1/${path}`, request);
    } catch {
      throw new CommandError(
        exitCodes.failed,
        `the server at ${this.#url} cannot be reached`,
        "Check that it still runs, then run the same command again.",
      );
    }
  }
}

/** Undefined for what is not there. */
function found({ status, body }: Answer): object | undefined {
  return status === 404 ? undefined : objectSchema.parse(body);
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    const value: unknown = await answer.json();
    return value;
  } catch {
    // Something else than the server answered; who parses the answer says so.
    return undefined;
  }
}

const statusCodes: ReadonlyMap<number, ExitCode> = new Map([
  [400, exitCodes.usage],
  [401, exitCodes.notAuthorised],
  [403, exitCodes.notAuthorised],
]);

async function refusal(answer: Response): Promise<CommandError> {
  const told = errorSchema.safeParse(await readJson(answer));
  const message = told.success ? tame(told.data.error.message) : `status ${answer.status}`;
  const exitCode = statusCodes.get(answer.status) ?? exitCodes.failed;
  return new CommandError(
    exitCode,
    `the server refused: ${message}`,
    "Correct this, or try again.",
  );
}
