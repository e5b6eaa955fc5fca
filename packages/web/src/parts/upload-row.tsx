import { opened } from "../state/details.ts";
import type { Phase, Row, RowView } from "../state/rows.ts";
import { bytesInWords } from "../words/amounts.ts";
import { barInWords, rowInWords } from "../words/row-words.ts";
import type { IconName } from "./icon.tsx";
import { Icon } from "./icon.tsx";
import { RopeBar } from "./rope-bar.tsx";
import { RowButtons } from "./row-buttons.tsx";

export interface UploadRowProps {
  readonly row: Row;
  /** From 1 on. */
  readonly place: number;
  readonly count: number;
}

export function UploadRow({ row, place, count }: UploadRowProps) {
  const view = row.view.value;
  const words = rowInWords(row, view);
  return (
    <li class={`row ${view.phase}`} aria-setsize={count} aria-posinset={place}>
      <span class="row-mark">
        <Icon name={marks[view.phase]} />
      </span>
      <div class="row-body">
        <p class="row-head">
          <Name row={row} view={view} />
          <span class="row-size numbers">{bytesInWords(row.length)}</span>
        </p>
        <RopeBar
          label={row.name}
          length={row.length}
          sent={view.sent}
          confirmed={view.confirmed}
          words={barInWords(row, view)}
          tone={tones[view.phase]}
        />
        <p class="row-words numbers" title={words}>
          {words}
        </p>
      </div>
      <RowButtons row={row} view={view} />
    </li>
  );
}

function Name({ row, view }: { readonly row: Row; readonly view: RowView }) {
  if (view.phase !== "finished") {
    return (
      <span class="row-name" title={row.name}>
        {row.name}
      </span>
    );
  }
  return (
    <button
      type="button"
      class="row-name link"
      title={row.name}
      onClick={() => {
        opened.value = row;
      }}
    >
      {row.name}
    </button>
  );
}

const marks: Readonly<Record<Phase, IconName>> = {
  queued: "file",
  checking: "file",
  sending: "file",
  retrying: "again",
  paused: "pause",
  finished: "check",
  failed: "alert",
  cancelled: "cross",
  elsewhere: "file",
  "leave-wanted": "file",
  "file-wanted": "file",
};

const tones: Readonly<Record<Phase, "calm" | "good" | "bad" | "still">> = {
  queued: "still",
  checking: "still",
  sending: "calm",
  retrying: "still",
  paused: "still",
  finished: "good",
  failed: "bad",
  cancelled: "still",
  elsewhere: "still",
  "leave-wanted": "still",
  "file-wanted": "still",
};
