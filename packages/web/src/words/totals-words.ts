import type { Totals } from "../state/rows.ts";
import { bytesInWords, countInWords, rateInWords, timeLeftInWords } from "./amounts.ts";

/** The heading over the list. */
export function headingInWords(totals: Totals): string {
  const { rows, finished, active, paused, failed, leaveWanted, fileWanted } = totals;
  const wanting = leaveWanted + fileWanted;
  if (rows > 0 && finished === rows) return `${countInWords(rows, "file")} on the server`;
  if (active > 0) return `Sending ${countInWords(active, "file")}`;
  if (wanting > 0) return `${countInWords(wanting, "file")} to go on with`;
  if (paused > 0) return `${countInWords(paused, "file")} paused`;
  return `${countInWords(failed, "file")} failed`;
}

/** What lies behind it, in numbers. */
export function totalsInWords(totals: Totals): string {
  const { rows, finished, failed, length, sent, confirmed, rate, secondsLeft } = totals;
  const words = [`${finished.toLocaleString("en")} of ${rows.toLocaleString("en")} done`];
  if (failed > 0) words.push(`${failed.toLocaleString("en")} failed`);
  words.push(`${bytesInWords(sent)} of ${bytesInWords(length)} sent`);
  if (confirmed < sent) words.push(`${bytesInWords(confirmed)} safe on the server`);
  if (rate > 0) words.push(rateInWords(rate));
  if (secondsLeft !== undefined) words.push(timeLeftInWords(secondsLeft));
  return words.join(" · ");
}
