import { createHmac, timingSafeEqual } from "node:crypto";
import { uploadError } from "../../base/errors.ts";
import type { Upload } from "../../engine/records.ts";

/** Two bytes that make a signature begin "AR", as the real service's do. */
const fixedBytes = Buffer.from([0x01, 0x10]);
const macBytes = 12;

export type NamedUpload = Pick<Upload, "id" | "protocol" | "creation" | "name" | "type">;

/**
 * The id of a Graph upload session: `upload:` + base64 of `1:attachment:<uuid>?<parameters>` +
 * `?sig=` + 19 characters. Whoever mangles it on the way finds out here, before any look-up.
 */
export class SessionIds {
  readonly #keys: readonly Buffer[];

  /** @param keys the current key first; ids signed with the others are still accepted. */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
  }

  format(upload: NamedUpload): string {
    const parameters = parametersOf(upload);
    const payload = Buffer.from(`1:attachment:${upload.id}?${parameters}`).toString("base64");
    const [key] = this.#keys;
    if (key === undefined) throw new Error("there is no key to sign ids with");
    return `upload:${payload}?sig=${signature(key, payload)}`;
  }

  /** The upload's UUID, from a whole id as it was answered. */
  parseWhole(id: string): string {
    const [, payload = "", given = ""] = /^upload:([^?]*)\?sig=(.*)$/.exec(id) ?? [];
    return this.parse(payload, given);
  }

  /** The upload's UUID. `signature_invalid` for anything this deployment did not sign. */
  parse(payload: string, given: string): string {
    const isOurs = this.#keys.some((key) => equal(signature(key, payload), given));
    const text = Buffer.from(payload, "base64").toString();
    const uuid = /^1:attachment:([0-9a-f-]{36})\?/.exec(text)?.[1];
    if (!isOurs || uuid === undefined) {
      throw uploadError("signature_invalid", { id: `upload:${payload}`, signature: given });
    }
    return uuid;
  }
}

/** What it was started with here, or would have been: the same for as long as the upload lives. */
function parametersOf({ protocol, creation, name, type }: NamedUpload): string {
  if (protocol === "graph") return creation;
  return new URLSearchParams({ file_name: name, file_type: type }).toString();
}

function signature(key: Buffer, payload: string): string {
  const mac = createHmac("sha256", key).update(`upload:${payload}`).digest();
  return Buffer.concat([fixedBytes, mac.subarray(0, macBytes)]).toString("base64url");
}

function equal(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
