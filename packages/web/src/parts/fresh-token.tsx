import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { signOut } from "../state/session.ts";
import { declineRenewal, renewToken } from "../state/token-renewal.ts";
import { pauseAll } from "../state/uploads.ts";
import type { Trouble } from "../words/trouble.ts";
import { Dialog } from "./dialog.tsx";
import { TokenField } from "./token-field.tsx";
import { TroubleNote } from "./trouble-note.tsx";

/** Asks for another token when the server no longer takes the one it had. */
export function FreshToken() {
  const field = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  const submit = async () => {
    setBusy(true);
    setTrouble(await renewToken(field.current?.value.trim() ?? ""));
    setBusy(false);
  };
  useLayoutEffect(() => {
    field.current?.focus();
  }, []);
  return (
    <Dialog title="A fresh token is needed" onClose={leaveIt}>
      <p>
        The server no longer takes yours: it has expired or was revoked. Nothing is lost; with a
        fresh one all goes on where it is.
      </p>
      <form
        class="token-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TokenField field={field} refused={trouble !== undefined} />
        {trouble !== undefined && <TroubleNote trouble={trouble} />}
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={signOut}>
            Sign out
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            {busy ? "Looking…" : "Go on"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Going on with any of them asks again; left alone, the next in the queue would. */
function leaveIt(): void {
  pauseAll();
  declineRenewal();
}
