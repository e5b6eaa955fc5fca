import { useEffect } from "preact/hooks";
import { opened, question } from "../state/details.ts";
import { renewal } from "../state/token-renewal.ts";
import { Details } from "./details.tsx";
import { Dialog } from "./dialog.tsx";
import { FreshToken } from "./fresh-token.tsx";

/** Whatever is asked or shown over the page now. */
export function Dialogs() {
  return (
    <>
      <OpenedRow />
      <OpenQuestion />
      {renewal.value !== undefined && <FreshToken />}
    </>
  );
}

function OpenedRow() {
  const row = opened.value;
  if (row === undefined) return null;
  return <Details key={row.key} row={row} />;
}

function OpenQuestion() {
  const asked = question.value;
  const isMoot = asked?.isMoot?.() === true;
  useEffect(() => {
    if (isMoot) question.value = undefined;
  }, [isMoot]);
  if (asked === undefined || isMoot) return null;
  const close = () => {
    question.value = undefined;
  };
  return (
    <Dialog title={asked.title} onClose={close}>
      <p>{asked.words}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={close}>
          No, keep it
        </button>
        <button
          type="button"
          class="button danger"
          onClick={() => {
            close();
            asked.run();
          }}
        >
          {asked.confirm}
        </button>
      </div>
    </Dialog>
  );
}
