import { useLayoutEffect, useRef } from "preact/hooks";
import { opened, question } from "../state/details.ts";
import type { Phase, Row, RowView } from "../state/rows.ts";
import { cancel, goOn, pause, removeRow } from "../state/uploads.ts";
import { bytesInWords } from "../words/amounts.ts";
import { askForFiles } from "./ask-for-files.ts";
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
  elsewhere: ["remove"],
  "leave-wanted": ["go-on", "cancel"],
  "file-wanted": ["pick", "cancel"],
};

interface Look {
  readonly verb: string;
  /** Without one the verb itself is shown: an icon would leave people guessing. */
  readonly icon?: IconName;
}

const looks: Readonly<Record<Deed, Look>> = {
  pause: { icon: "pause", verb: "Pause" },
  "go-on": { verb: "Go on" },
  retry: { verb: "Retry" },
  pick: { verb: "Pick again" },
  details: { verb: "Details" },
  cancel: { icon: "cross", verb: "Cancel" },
  remove: { icon: "cross", verb: "Take off the list:" },
};

export function RowButtons({ row, view }: { readonly row: Row; readonly view: RowView }) {
  const present = deeds[view.phase];
  return (
    <div ref={useFocusKept()} class="row-buttons">
      {present.map((deed, place) => {
        const { icon, verb } = looks[deed];
        return (
          <button
            key={elementOf(deed, place === present.length - 1)}
            type="button"
            class={icon === undefined ? "button small" : "icon-button"}
            title={`${verb} ${row.name}`}
            onClick={() => {
              perform(deed, row, view);
            }}
          >
            {icon === undefined ? verb : <Icon name={icon} />}
            <span class="unseen">{icon === undefined ? row.name : `${verb} ${row.name}`}</span>
          </button>
        );
      })}
    </div>
  );
}

/** Which buttons are one: those of the same size, so that none moves by itself, and a switch. */
function elementOf(deed: Deed, isLast: boolean): string {
  if (isLast) return "last";
  return deed === "go-on" ? "pause" : deed;
}

/** Where a button with the focus goes, the one that takes its place gets it. */
function useFocusKept() {
  const group = useRef<HTMLDivElement>(null);
  const buttons = () => [...(group.current?.querySelectorAll("button") ?? [])];
  const place = buttons().findIndex((button) => button === document.activeElement);
  useLayoutEffect(() => {
    if (document.activeElement === document.body) buttons()[place]?.focus();
  });
  return group;
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
      void askForFiles();
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
    isMoot: () => row.view.value.phase === "finished",
  };
}
