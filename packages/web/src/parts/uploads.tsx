import { online } from "../state/connection.ts";
import { notice } from "../state/uploads.ts";
import { rows } from "../state/rows.ts";
import { canUpload } from "../state/session.ts";
import { keeps } from "../state/work.ts";
import { DropZone } from "./drop-zone.tsx";
import { Icon } from "./icon.tsx";
import { RowFilter } from "./row-filter.tsx";
import { RowList } from "./row-list.tsx";
import { Summary } from "./summary.tsx";
import { TroubleNote } from "./trouble-note.tsx";

const noRight = {
  happened: "Your token may not upload.",
  next: "Ask who runs the server for one with the scopes create and append.",
};

export function Uploads() {
  const some = rows.value.length > 0;
  return (
    <div class="uploads">
      <h1 class={some ? "unseen" : "welcome"}>{some ? "Uploads" : "Send files"}</h1>
      {!online.value && <Offline />}
      {canUpload.value ? <DropZone small={some} /> : <TroubleNote trouble={noRight} />}
      {notice.value !== "" && (
        <p class="notice" role="status">
          {notice}
        </p>
      )}
      {!keeps.value && (
        <p class="notice">
          This browser keeps nothing for this page: leave it open until all is sent.
        </p>
      )}
      {some && <Summary />}
      {some && <RowFilter />}
      {some && <RowList />}
    </div>
  );
}

function Offline() {
  return (
    <div class="offline" role="status">
      <Icon name="alert" />
      <p>
        <strong>You are offline.</strong> Nothing is lost: uploads go on by themselves when the
        connection is back.
      </p>
    </div>
  );
}
