import type { LiveError } from "./live-words.ts";

const shown = 12;

/** The newest refusals and failures of this node. */
export function RecentErrors({ errors }: { readonly errors: readonly LiveError[] }) {
  return (
    <section class="card errors">
      <h2>Recent errors</h2>
      {errors.length === 0 ? (
        <p class="soft">None since this server started.</p>
      ) : (
        <ul class="error-list">
          {errors.slice(0, shown).map((error) => (
            <li key={`${error.at} ${error.trace}`}>
              <time class="numbers" dateTime={error.at}>
                {new Date(error.at).toLocaleTimeString()}
              </time>
              <strong>{error.code?.replaceAll("_", " ") ?? "refused"}</strong>
              <code title={error.route}>
                {error.status} {error.method} {error.route}
              </code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
