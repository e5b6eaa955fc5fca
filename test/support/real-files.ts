import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type RealFileKind = "pdf" | "jpeg" | "png" | "mp4";

export interface RealFile {
  readonly state: "made";
  readonly kind: RealFileKind;
  readonly path: string;
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Buffer;
}

/** Why a kind of file cannot be made on this machine, fit for a skipped test. */
export interface NoRealFile {
  readonly state: "missing";
  readonly reason: string;
}

interface Recipe {
  readonly mimeType: string;
  readonly fileName: string;
  /** Programs that can do it, the best first, with their arguments before the file's path. */
  readonly programs: readonly (readonly [program: string, ...arguments_: string[]])[];
  /** Bytes every such file begins with, at the position given. */
  readonly signature: { readonly at: number; readonly bytes: Buffer };
}

const pagePicture = [
  "/Helvetica findfont 48 scalefont setfont",
  "1 1 3 { 72 exch 200 mul moveto (A page of a real document) show } for showpage",
].join(" ");

const testVideo = ["-f", "lavfi", "-i", "testsrc=duration=2:size=320x240:rate=10"];

/** Noise does not compress, so the pictures come out large enough to be sent in several parts. */
const noise = ["-size", "640x480", "-seed", "7", "xc:gray", "+noise", "Random"];

const recipes: Readonly<Record<RealFileKind, Recipe>> = {
  pdf: {
    mimeType: "application/pdf",
    fileName: "document.pdf",
    programs: [["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o"]],
    signature: { at: 0, bytes: Buffer.from("%PDF-") },
  },
  jpeg: {
    mimeType: "image/jpeg",
    fileName: "picture.jpg",
    programs: [
      ["magick", ...noise, "-quality", "95"],
      ["convert", ...noise, "-quality", "95"],
    ],
    signature: { at: 0, bytes: Buffer.from([0xff, 0xd8, 0xff]) },
  },
  png: {
    mimeType: "image/png",
    fileName: "picture.png",
    programs: [
      ["magick", ...noise],
      ["convert", ...noise],
    ],
    signature: { at: 0, bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47]) },
  },
  mp4: {
    mimeType: "video/mp4",
    fileName: "video.mp4",
    programs: [["ffmpeg", "-v", "error", "-y", ...testVideo, "-pix_fmt", "yuv420p"]],
    signature: { at: 4, bytes: Buffer.from("ftyp") },
  },
};

export const realFileKinds: readonly RealFileKind[] = ["pdf", "jpeg", "png", "mp4"];

/** Makes a small, valid file with the real tool for its kind, or says what is missing. */
export async function makeRealFile(
  kind: RealFileKind,
  directory: string,
): Promise<RealFile | NoRealFile> {
  const recipe = recipes[kind];
  const path = join(directory, recipe.fileName);
  const reasons: string[] = [];
  for (const [program, ...before] of recipe.programs) {
    const after = kind === "pdf" ? ["-c", pagePicture] : [];
    try {
      await run(program, [...before, path, ...after], { timeout: 20_000 });
      const bytes = await readFile(path);
      const { at, bytes: signature } = recipe.signature;
      if (bytes.subarray(at, at + signature.length).equals(signature)) {
        const { mimeType, fileName: name } = recipe;
        return { state: "made", kind, path, name, mimeType, bytes };
      }
      reasons.push(`${program} made something that is no ${kind}`);
    } catch (error) {
      reasons.push(reasonFor(program, error));
    }
  }
  return { state: "missing", reason: `no ${kind} could be made: ${reasons.join("; ")}` };
}

function reasonFor(program: string, error: unknown): string {
  if (!(error instanceof Error)) return `${program} failed`;
  const absent = "code" in error && error.code === "ENOENT";
  return absent ? `${program} is not on the PATH` : `${program} failed: ${error.message}`;
}
