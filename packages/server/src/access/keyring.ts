import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { chmod, open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorCode } from "../base/errors.ts";

const keyBytes = 32;
/** Shorter keys could be guessed; a generated one has 43 characters. */
const keyCharactersMin = 16;

const sealVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;

/**
 * The deployment's keys, from which every other key is derived. The first one is current: it seals
 * and signs. The others are older ones that still unseal and verify, so that keys can be changed
 * without losing what the old ones made.
 */
export class Keyring {
  readonly #keys: readonly string[];
  readonly #sealKeys: readonly Buffer[];

  private constructor(keys: readonly string[]) {
    this.#keys = keys;
    this.#sealKeys = this.derive("seal");
  }

  /** `configured` is a comma-separated list; without it the file's keys, made when there is none. */
  static async open(keyFile: string, configured: string | undefined): Promise<Keyring> {
    if (configured !== undefined) {
      return new Keyring(checkedKeys(configured.split(","), "the key option (HAWSER_KEY)"));
    }
    return new Keyring(checkedKeys((await readOrCreate(keyFile)).split("\n"), keyFile));
  }

  /** A 256-bit key for one purpose from each of the deployment's keys, the current one first. */
  derive(purpose: string): readonly Buffer[] {
    return this.#keys.map((key) =>
      Buffer.from(hkdfSync("sha256", key, "hawser", purpose, keyBytes)),
    );
  }

  /** Encrypts so that only these keys can read or change it. */
  seal(bytes: Uint8Array): Buffer {
    const [key] = this.#sealKeys;
    if (key === undefined) throw new Error("a keyring has at least one key");
    // Not the passed-in chance: a seeded run must never make a nonce repeat under a real key.
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    const text = Buffer.concat([cipher.update(bytes), cipher.final()]);
    return Buffer.concat([Buffer.of(sealVersion), nonce, cipher.getAuthTag(), text]);
  }

  unseal(sealed: Uint8Array): Buffer {
    if (sealed.length >= headBytes && sealed[0] === sealVersion) {
      for (const key of this.#sealKeys) {
        const bytes = unsealWith(key, sealed);
        if (bytes !== undefined) return bytes;
      }
    }
    throw new Error(
      "A stored secret cannot be decrypted: it was made under a key that is not configured. " +
        "Put that key back, after the current one, in HAWSER_KEY or the key file.",
    );
  }
}

function unsealWith(key: Buffer, sealed: Uint8Array): Buffer | undefined {
  const nonce = sealed.subarray(1, 1 + nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]);
  } catch {
    // Not this key's: the caller tries the next one.
    return undefined;
  }
}

function checkedKeys(candidates: readonly string[], source: string): readonly string[] {
  const keys = candidates.map((key) => key.trim()).filter((key) => key !== "");
  // An emptied file is not replaced by a new key: what the lost one sealed would be lost with it.
  if (keys.length === 0) throw new Error(`There is no key in ${source}.`);
  if (keys.some((key) => key.length < keyCharactersMin)) {
    throw new Error(`A key in ${source} is shorter than ${keyCharactersMin} characters.`);
  }
  return keys;
}

async function readOrCreate(keyFile: string): Promise<string> {
  try {
    const text = await readFile(keyFile, "utf8");
    // A restored backup may have lost the mode.
    if (((await stat(keyFile)).mode & 0o077) !== 0) await chmod(keyFile, 0o600);
    return text;
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
  const text = `${randomBytes(keyBytes).toString("base64url")}\n`;
  await writeDurably(keyFile, text);
  return text;
}

/** The key must survive a power cut before anything is sealed with it. */
async function writeDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
