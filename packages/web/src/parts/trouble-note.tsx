import type { Trouble } from "../words/trouble.ts";
import { Icon } from "./icon.tsx";

/** What happened, and what to do next. */
export function TroubleNote({ trouble }: { readonly trouble: Trouble }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="alert" />
      <p>
        <strong>{trouble.happened}</strong> {trouble.next}
      </p>
    </div>
  );
}
