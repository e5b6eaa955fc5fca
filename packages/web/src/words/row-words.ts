import type { Row, RowView } from "../state/rows.ts";
import { bytesInWords, percentInWords, rateInWords, timeLeftInWords } from "./amounts.ts";

/** The line under a row's bar. */
export function rowInWords(row: Row, view: RowView): string {
  const standing = standingInWords(row, view);
  return view.remark === undefined ? standing : `${standing} · ${view.remark}`;
}

function standingInWords({ name, length }: Row, view: RowView): string {
  const done = `${bytesInWords(view.confirmed)} of ${bytesInWords(length)}`;
  const sent = `${bytesInWords(view.sent)} of ${bytesInWords(length)}`;
  switch (view.phase) {
    case "queued":
      return view.confirmed > 0 ? `Waiting for its turn · ${done}` : "Waiting for its turn";
    case "checking":
      return view.confirmed > 0 ? `Comparing with what the server has · ${done}` : "Starting";
    case "sending":
      return [sent, ...paceInWords(view)].join(" · ");
    case "retrying":
      return `${view.trouble?.happened ?? "Interrupted."} Going on by itself · ${sent}`;
    case "paused":
      return `Paused · ${sent}`;
    case "finished":
      return view.fileId === undefined ? "On the server" : "Published";
    case "failed":
      return `${view.trouble?.happened ?? "It failed."} ${view.trouble?.next ?? ""}`.trim();
    case "cancelled":
      return view.trouble === undefined ? "Cancelled" : view.trouble.happened;
    case "elsewhere":
      return view.trouble === undefined
        ? "The same file is being sent already, in another tab perhaps"
        : `${view.trouble.happened} ${view.trouble.next}`;
    case "leave-wanted":
      return `Your browser wants a click before it opens the file again · ${done}`;
    case "file-wanted":
      return `Pick ${baseOf(name)} again to go on · ${done}`;
  }
}

/** What a screen reader says of a bar. */
export function barInWords({ length }: Row, { confirmed }: RowView): string {
  return `${percentInWords(confirmed, length)} on the server`;
}

function paceInWords({ rate, secondsLeft }: RowView): string[] {
  if (rate === undefined || rate <= 0) return [];
  const words = [rateInWords(rate)];
  if (secondsLeft !== undefined) words.push(timeLeftInWords(secondsLeft));
  return words;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
