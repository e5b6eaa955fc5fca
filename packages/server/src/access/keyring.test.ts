import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Keyring } from "./keyring.ts";

const oldKey = "an-older-key-0123456789";
const newKey = "a-newer-key-0123456789";

let directory: string;
let keyFile: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-keyring-"));
  keyFile = join(directory, "key");
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("Keyring", () => {
  it("makes a key file of mode 0600 once and finds it again", async () => {
    const sealed = (await Keyring.open(keyFile, undefined)).seal(Buffer.from("secret"));
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(keyFile, "utf8")).toMatch(/^[\w-]{43}\n$/);
    expect(await readdir(directory)).toEqual(["key"]);
    expect((await Keyring.open(keyFile, undefined)).unseal(sealed).toString()).toBe("secret");
  });

  it("takes back a mode that lets others read", async () => {
    await writeFile(keyFile, `${oldKey}\n`);
    await chmod(keyFile, 0o644);
    await Keyring.open(keyFile, undefined);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  it("opens with a new key in front what the old one sealed, not the other way", async () => {
    const old = await Keyring.open(keyFile, oldKey);
    const rotated = await Keyring.open(keyFile, `${newKey}, ${oldKey}`);
    expect(rotated.unseal(old.seal(Buffer.from("s"))).toString()).toBe("s");
    expect(() => old.unseal(rotated.seal(Buffer.from("s")))).toThrow(/cannot be decrypted/);
    expect(rotated.derive("x")[1]).toEqual(old.derive("x")[0]);
  });

  it("derives another 32 bytes for another purpose", async () => {
    const keyring = await Keyring.open(keyFile, newKey);
    const [first] = keyring.derive("a");
    expect(first).toHaveLength(32);
    expect(first).not.toEqual(keyring.derive("b")[0]);
  });

  it("notices every changed or missing byte", async () => {
    const keyring = await Keyring.open(keyFile, newKey);
    const sealed = keyring.seal(Buffer.from("secret"));
    for (const index of sealed.keys()) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => keyring.unseal(changed)).toThrow(/cannot be decrypted/);
      expect(() => keyring.unseal(sealed.subarray(0, index))).toThrow(/cannot be decrypted/);
    }
  });

  it("refuses an empty file and a short key", async () => {
    await writeFile(keyFile, "\n");
    await expect(Keyring.open(keyFile, undefined)).rejects.toThrow(/no key/);
    await expect(Keyring.open(keyFile, "short")).rejects.toThrow(/shorter than 16/);
  });
});
