import { useEffect, useRef, useState } from "preact/hooks";
import { readDrop, readInput } from "../state/dropped-files.ts";
import { session } from "../state/session.ts";
import { addFiles } from "../state/uploads.ts";
import { limitsInWords } from "../words/limits-words.ts";
import { askForFiles, filesInputId } from "./ask-for-files.ts";
import { Coil } from "./coil.tsx";

/** Large as long as there is nothing else to see. Files may be dropped anywhere on the page. */
export function DropZone({ small }: { readonly small: boolean }) {
  const folder = useRef<HTMLInputElement>(null);
  const over = useDrop();
  const limits = session.value?.me.limits;
  return (
    <section
      class={`drop-zone${small ? " small" : ""}${over ? " over" : ""}`}
      aria-label="Add files"
    >
      <Coil turns={small ? 2 : 4} />
      <div>
        <p class="drop-words">{over ? "Let go to send" : "Drop files or folders anywhere"}</p>
        <p class="drop-buttons">
          <button type="button" class="button primary" onClick={() => void askForFiles()}>
            Pick files
          </button>
          <button type="button" class="button" onClick={() => folder.current?.click()}>
            Pick a folder
          </button>
        </p>
        {limits !== undefined && <p class="help">{limitsInWords(limits)}</p>}
      </div>
      <input id={filesInputId} type="file" multiple hidden onChange={take} />
      <input
        ref={(input) => {
          // Not in the types of JSX.
          input?.setAttribute("webkitdirectory", "");
          folder.current = input;
        }}
        id="folder"
        type="file"
        multiple
        hidden
        onChange={take}
      />
    </section>
  );
}

function take(event: Event): void {
  if (!(event.currentTarget instanceof HTMLInputElement)) return;
  addFiles(readInput(event.currentTarget.files));
  // So that the same file can be picked again.
  event.currentTarget.value = "";
}

/** True while something is held over the page. */
function useDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const drag = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      const data = event.dataTransfer;
      if (data?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(false);
      void readDrop(data).then(addFiles);
    };
    addEventListener("dragover", drag, { signal });
    addEventListener("dragleave", leave, { signal });
    addEventListener("drop", drop, { signal });
    return () => {
      controller.abort();
    };
  }, []);
  return over;
}
