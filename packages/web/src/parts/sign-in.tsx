import { useRef, useState } from "preact/hooks";
import { signIn, signingIn, signInTrouble } from "../state/session.ts";
import { Coil } from "./coil.tsx";
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
      <form onSubmit={submit}>
        {/* Password managers file the token under this name. */}
        <input type="text" autocomplete="username" value="Hawser" hidden readOnly />
        <label for="token">Access token</label>
        <input
          ref={field}
          id="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          aria-describedby="token-help"
          aria-invalid={trouble !== undefined}
        />
        <p id="token-help" class="help">
          The server printed one at its first start; <code>hawser token create</code> makes more.
        </p>
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
