import { useRef, useState } from "preact/hooks";
import { signIn, signingIn, signInTrouble } from "../state/session.ts";
import { Coil } from "./coil.tsx";
import { TokenField } from "./token-field.tsx";
import { TroubleNote } from "./trouble-note.tsx";

export function SignIn() {
  const field = useRef<HTMLInputElement>(null);
  const [remember, setRemember] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token === "") field.current?.focus();
    else void signIn(token, remember);
  };
  const trouble = signInTrouble.value;
  return (
    <section class="sign-in card">
      <Coil />
      <h1>Sign in</h1>
      <p class="soft">
        Send files of any size. A cut connection costs nothing: they go on where they stopped.
      </p>
      <form class="token-form" onSubmit={submit}>
        <TokenField field={field} refused={trouble !== undefined} />
        <label class="check">
          <input
            type="checkbox"
            checked={remember}
            onChange={(event) => {
              setRemember(event.currentTarget.checked);
            }}
          />
          <span>Stay signed in with this browser</span>
        </label>
        {trouble !== undefined && <TroubleNote trouble={trouble} />}
        <button type="submit" class="button primary" disabled={signingIn}>
          {signingIn.value ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </section>
  );
}
