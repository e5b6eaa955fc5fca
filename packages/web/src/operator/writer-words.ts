import type { LiveUpload } from "./live-words.ts";

/** Who writes, or for how long nobody has. */
export function writerInWords(upload: LiveUpload, now: string): string {
  const { writer, stalledSince, updatedAt } = upload;
  if (stalledSince !== null) return `stalled for ${timeBetween(stalledSince, now)}`;
  if (writer === "here") return "sending";
  if (writer === "elsewhere") return "sending to another node";
  return `nobody sends, last change ${timeBetween(updatedAt, now)} ago`;
}

/** Whole seconds, minutes, hours or days between two times. */
function timeBetween(from: string, to: string): string {
  const seconds = Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
