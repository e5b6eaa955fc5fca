import type { RefObject } from "preact";

export interface TokenFieldProps {
  readonly field: RefObject<HTMLInputElement | null>;
  /** Whether what is in it was refused. */
  readonly refused: boolean;
}

/** Where a token is pasted. */
export function TokenField({ field, refused }: TokenFieldProps) {
  return (
    <>
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
        aria-invalid={refused}
      />
      <p id="token-help" class="help">
        The server printed one at its first start and keeps it in{" "}
        <code>local-credentials.json</code>; <code>hawser token create</code> makes more.
      </p>
    </>
  );
}
