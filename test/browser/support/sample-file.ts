import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";

import { patternBytes } from "../../support/seeded.ts";

/** A file for a person to send. */
export interface SampleFile {
  /** Below its directory. */
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
}

/** How files begin that the server takes, as far as it looks into them. */
const beginnings: Readonly<Record<string, string>> = {
  mp4: "\0\0\0\x18ftypmp42",
  pdf: "%PDF-1.4\n",
};

/** Another content for every name and length; folders in the name are made. */
export async function sampleFile(
  directory: string,
  name: string,
  length: number,
): Promise<SampleFile> {
  const seed = crc32(`${name} ${length}`);
  const bytes = patternBytes({ seed, length });
  bytes.write(beginnings[name.split(".").at(-1) ?? ""] ?? "", "latin1");
  const path = join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return { name, path, bytes };
}
