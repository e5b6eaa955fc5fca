import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const program = "/usr/bin/openssl";
const dayMs = 24 * 60 * 60 * 1000;

/** Why there can be no certificates here; undefined when there can. */
export const opensslMissing = existsSync(program) ? undefined : "openssl is not installed";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateWish {
  readonly name: string;
  /** Since when it is valid, and for how long still. */
  readonly daysOld: number;
  readonly daysLeft: number;
}

const configuration = `
[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
`;

/** A certificate authority in a directory of its own, with openssl. */
export class CertificateAuthority {
  /** Its own certificate, for who is to trust it. */
  readonly file: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.file = join(directory, "ca.pem");
  }

  static async create(): Promise<CertificateAuthority> {
    const directory = await mkdtemp(join(tmpdir(), "hawser-ca-"));
    const authority = new CertificateAuthority(directory);
    await writeFile(join(directory, "configuration"), configuration);
    await writeFile(join(directory, "index"), "");
    await writeFile(join(directory, "serial"), "01\n");
    const out = ["-keyout", "ca.key", "-out", "ca.pem", "-days", "365", "-subj", "/CN=test CA"];
    await authority.#openssl(["req", "-x509", ...newKey, ...out]);
    return authority;
  }

  async issue({ name, daysOld, daysLeft }: CertificateWish): Promise<Certificate> {
    const place = this.#directory;
    await writeFile(join(place, "extensions"), `subjectAltName = DNS:${name}\n`);
    const request = ["-keyout", "leaf.key", "-out", "leaf.csr", "-subj", `/CN=${name}`];
    await this.#openssl(["req", ...newKey, ...request]);
    const authority = ["-config", "configuration", "-cert", "ca.pem", "-keyfile", "ca.key"];
    const dates = ["-startdate", dateIn(-daysOld), "-enddate", dateIn(daysLeft)];
    const files = ["-extfile", "extensions", "-in", "leaf.csr", "-out", "leaf.pem"];
    await this.#openssl(["ca", "-batch", "-notext", ...authority, ...dates, ...files]);
    return {
      key: await readFile(join(place, "leaf.key"), "utf8"),
      cert: await readFile(join(place, "leaf.pem"), "utf8"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #openssl(command: readonly string[]): Promise<void> {
    await run(program, command, { cwd: this.#directory });
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** As openssl takes it: YYYYMMDDHHMMSSZ. */
function dateIn(days: number): string {
  const date = new Date(Date.now() + days * dayMs).toISOString();
  return `${date.slice(0, 19).replaceAll(/[-T:]/g, "")}Z`;
}
