import type { UploadResult, UploadWarning } from "hawser-client";
import { formatBytes, formatDuration } from "./amounts.ts";
import type { Failure } from "./failure.ts";
import { note, paint, print, tame } from "./output.ts";
import type { DisplayOptions } from "./put-display.ts";
import type { Tally } from "./put-tally.ts";
import { tallyLine } from "./put-tally.ts";

/** `film.mp4: 2.0 GiB in 12 s (170 MiB/s)`. */
export function summary(name: string, result: UploadResult, durationMs: number): string {
  const sent = result.bytes - result.resumedFrom;
  if (sent === 0) return `${tame(name)}: was already uploaded (${formatBytes(result.bytes)})`;
  const rate = formatBytes(sent / Math.max(durationMs / 1000, 0.001));
  const from = result.resumedFrom > 0 ? `, went on at ${formatBytes(result.resumedFrom)}` : "";
  const all = formatBytes(result.bytes);
  return `${tame(name)}: ${all} in ${formatDuration(durationMs)} (${rate}/s${from})`;
}

/** The line on stdout that scripts read. */
export function printResult(name: string, result: UploadResult): void {
  print(`${tame(name)}  ${result.fileId ?? result.handle}`);
}

export function failureLines(file: string, failure: Failure): string[] {
  return [
    `${paint("red", "error:")} ${tame(file)}: ${failure.message}`,
    `${paint("bold", "next:")} ${failure.hint}`,
  ];
}

export function skippedLine(file: string, reason: string): string {
  return `${paint("yellow", "skipped:")} ${tame(file)}: it is ${reason}`;
}

/** The line at the end; a single file's own line has said it all. */
export function tellTally(tally: Tally): void {
  const { files, failed, skipped } = tally;
  if (files + failed + skipped > 1) note(`${paint("bold", "total:")} ${tallyLine(tally)}`);
}

/** Undefined for advice that does not concern this server. */
export function warningLine(
  name: string,
  warning: UploadWarning,
  options: DisplayOptions,
): string | undefined {
  if (warning.code === "size-advice" && !options.isMeta) return undefined;
  return `${paint("yellow", "note:")} ${tame(name)}: ${warning.message}`;
}

export function retryLine(name: string, message: string, waitMs: number): string {
  const when = waitMs === 0 ? "going on at once" : `trying again in ${formatDuration(waitMs)}`;
  return `${tame(name)}: ${tame(message)}; ${when}`;
}

/** What to do now, for somebody who sees this for the first time. */
export function nextSteps(files: readonly string[], options: DisplayOptions): void {
  // Of standard input nothing is remembered that could be published by its name.
  const [file] = files.filter((each) => each !== "-");
  if (file === undefined || options.publish) return;
  if (options.isMeta) {
    note("Next: give the handle to an endpoint that takes handles; it expires after some days.");
    return;
  }
  const more = files.length > 1 ? " (and so on for the others)" : "";
  note(`Next: publish it with: hawser publish ${quoted(file)}${more}`);
}

export function interruptedLines(): string[] {
  return [
    "Interrupted; what was sent is kept.",
    "To go on from there, run the same command again.",
  ];
}

/** As a shell takes it: cmd and PowerShell know double quotes, and a backslash is a path's there. */
export function quoted(file: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return /^[\w./\\@+,:-]+$/.test(file) ? file : `"${file}"`;
  return /^[\w./@%+,:-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
