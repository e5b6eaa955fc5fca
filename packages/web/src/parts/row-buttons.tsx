import { opened, question } from "../state/details.ts";
import type { Phase, Row, RowView } from "../state/rows.ts";
import { cancel, goOn, pause, removeRow } from "../state/uploads.ts";
import { bytesInWords } from "../words/amounts.ts";
import type { IconName } from "./icon.tsx";
import { Icon } from "./icon.tsx";

type Deed = "pause" | "go-on" | "retry" | "pick" | "details" | "cancel" | "remove";

const deeds: Readonly<Record<Phase, readonly Deed[]>> = {
  queued: ["pause", "cancel"],
  checking: ["pause", "cancel"],
  sending: ["pause", "cancel"],
  retrying: ["pause", "cancel"],
  paused: ["go-on", "cancel"],
  finished: ["details", "remove"],
  failed: ["retry", "cancel"],
  cancelled: ["retry", "remove"],
  "leave-wanted": ["go-on", "cancel"],
  "file-wanted": ["pick", "cancel"],
};

const looks: Readonly<Record<Deed, { readonly icon: IconName; readonly verb: string }>> = {
  pause: { icon: "pause", verb: "Pause" },
  "go-on": { icon: "play", verb: "Go on with" },
  retry: { icon: "again", verb: "Retry" },
  pick: { icon: "folder", verb: "Pick again:" },
  details: { icon: "more", verb: "Details of" },
  cancel: { icon: "cross", verb: "Cancel" },
  remove: { icon: "cross", verb: "Take off the list:" },
};

export function RowButtons({ row, view }: { readonly row: Row; readonly view: RowView }) {
  return (
    <div class="row-buttons">
      {deeds[view.phase].map((deed, place) => {
        const { icon, verb } = looks[deed];
        const label = `${verb} ${row.name}`;
        return (
          // The same place keeps its element and with it the focus when pause becomes go on.
          <button
            key={place}
            type="button"
            class="icon-button"
            aria-label={label}
            title={label}
            onClick={() => {
              perform(deed, row, view);
            }}
          >
            <Icon name={icon} />
          </button>
        );
      })}
    </div>
  );
}

function perform(deed: Deed, row: Row, view: RowView): void {
  switch (deed) {
    case "pause":
      pause(row);
      return;
    case "go-on":
    case "retry":
      void goOn(row);
      return;
    case "pick":
      document.getElementById("files")?.click();
      return;
    case "details":
      opened.value = row;
      return;
    case "cancel":
      askToCancel(row, view);
      return;
    case "remove":
      removeRow(row);
  }
}

function askToCancel(row: Row, { confirmed }: RowView): void {
  if (confirmed === 0) {
    void cancel(row);
    return;
  }
  question.value = {
    title: `Cancel ${row.name}?`,
    words: `The server gives up the ${bytesInWords(confirmed)} it has of it.`,
    confirm: "Cancel this upload",
    run: () => void cancel(row),
  };
}
