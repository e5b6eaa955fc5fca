import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { systemErrorCode } from "../base/errors.ts";

/** What a local server leaves for the commands that run beside it. */
export interface LocalCredentials {
  readonly url: string;
  readonly appId: string;
  readonly appSecret?: string;
  readonly token?: string;
  /** For the administration only. */
  readonly adminToken?: string;
}

/** Where they are in a data directory, which is known by it. */
export const credentialsFileName = "local-credentials.json";

const credentialsSchema = z.object({
  url: z.string(),
  appId: z.string(),
  appSecret: z.string().optional(),
  token: z.string().optional(),
  adminToken: z.string().optional(),
});

/** No file, or one that is not ours to read, means that there is no local server to speak of. */
const absentCodes: readonly (string | undefined)[] = ["ENOENT", "ENOTDIR", "EACCES"];

export async function readLocalCredentials(
  dataDirectory: string,
): Promise<LocalCredentials | undefined> {
  const path = join(dataDirectory, credentialsFileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (absentCodes.includes(systemErrorCode(error))) return undefined;
    throw error;
  }
  const { url, appId, appSecret, token, adminToken } = parse(text, path);
  return {
    url,
    appId,
    ...(appSecret === undefined ? {} : { appSecret }),
    ...(token === undefined ? {} : { token }),
    ...(adminToken === undefined ? {} : { adminToken }),
  };
}

/** Replaces the file as a whole, readable by its owner only. */
export async function writeLocalCredentials(
  dataDirectory: string,
  credentials: LocalCredentials,
): Promise<void> {
  await mkdir(dataDirectory, { recursive: true });
  const path = join(dataDirectory, credentialsFileName);
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    // A draft that a crash left keeps its old mode otherwise.
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify(credentials, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

function parse(text: string, path: string): z.infer<typeof credentialsSchema> {
  try {
    return credentialsSchema.parse(JSON.parse(text));
  } catch {
    // The cause would repeat the file's text, which holds secrets.
    throw new Error(`${path} is damaged. Remove it; "hawser serve" writes it anew.`);
  }
}
