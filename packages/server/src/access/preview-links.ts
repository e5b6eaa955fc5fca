import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";

/** Whose bytes a link shows. */
export interface PreviewTarget {
  readonly kind: "upload" | "file";
  readonly id: string;
}

export interface PreviewLink {
  /** Of the URL, with its query; the signature is in the query, which no log has. */
  readonly path: string;
  readonly expiresAt: number;
}

export const previewPath = "/previews/";

const kinds = { u: "upload", f: "file" } as const;

/** Links to one file's bytes that work without a token, for a short time. */
export class PreviewLinks {
  readonly #keys: readonly Buffer[];
  readonly #clock: Pick<Clock, "now">;

  /** @param keys the current key first; links signed with the others are still accepted. */
  constructor(keys: readonly Buffer[], clock: Pick<Clock, "now">) {
    this.#keys = keys;
    this.#clock = clock;
  }

  make({ kind, id }: PreviewTarget): PreviewLink {
    const [key] = this.#keys;
    if (key === undefined) throw new Error("there is no key to sign links with");
    const expiresAt = this.#clock.now() + limits.previewMs;
    const name = `${kind === "upload" ? "u" : "f"}.${id}.${expiresAt}`;
    return { path: `${previewPath}${name}?sig=${signature(key, name)}`, expiresAt };
  }

  /** `signature_invalid` for what was not made here, `token_expired` for what was, too long ago. */
  read(name: string, given: string): PreviewTarget {
    const [, kind, id, expiresAt] = /^([uf])\.([0-9a-f-]{1,40})\.(\d{1,15})$/.exec(name) ?? [];
    const isOurs = this.#keys.some((key) => isEqual(signature(key, name), given));
    if (!isOurs || id === undefined || (kind !== "u" && kind !== "f")) {
      throw uploadError("signature_invalid", { id: name, signature: given });
    }
    const until = Number(expiresAt);
    if (until <= this.#clock.now()) throw uploadError("token_expired", { expiredAt: until });
    return { kind: kinds[kind], id };
  }
}

function signature(key: Buffer, name: string): string {
  return createHmac("sha256", key).update(name).digest("base64url");
}

function isEqual(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
