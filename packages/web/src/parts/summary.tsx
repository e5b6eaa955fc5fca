import { totals } from "../state/rows.ts";
import { goOnWithAll, pauseAll, removeFromList } from "../state/uploads.ts";
import { headingInWords, totalsInWords } from "../words/totals-words.ts";
import { percentInWords } from "../words/amounts.ts";
import { askForFiles } from "./ask-for-files.ts";
import { RopeBar } from "./rope-bar.tsx";

/** All uploads as one. */
export function Summary() {
  const all = totals.value;
  const { active, paused, failed, finished, leaveWanted, fileWanted, rows } = all;
  return (
    <section class="summary card" aria-label="All uploads">
      <div class="summary-head">
        <h2>{headingInWords(all)}</h2>
        {/* Keys, because one that becomes another moves. */}
        <div class="summary-buttons">
          {active > 0 && (
            <button key="pause" type="button" class="button" onClick={pauseAll}>
              Pause all
            </button>
          )}
          {active === 0 && fileWanted > 0 && (
            <button
              key="pick"
              type="button"
              class="button primary"
              onClick={() => void askForFiles()}
            >
              Pick them again
            </button>
          )}
          {active === 0 && paused + failed + leaveWanted > 0 && (
            <button
              key="go-on"
              type="button"
              class={fileWanted > 0 ? "button" : "button primary"}
              onClick={() => void goOnWithAll()}
            >
              Go on with all
            </button>
          )}
          {/* Its place is kept free: a button that came there would push the others aside. */}
          <button
            type="button"
            class={finished > 0 ? "button" : "button absent"}
            onClick={clearFinished}
          >
            Clear finished
          </button>
        </div>
      </div>
      <RopeBar
        label="All uploads"
        length={all.length}
        sent={all.sent}
        confirmed={all.confirmed}
        words={`${percentInWords(all.confirmed, all.length)} on the server`}
        tone={rows > 0 && finished === rows ? "good" : active > 0 ? "calm" : "still"}
      />
      <p class="soft numbers">{totalsInWords(all)}</p>
    </section>
  );
}

function clearFinished(): void {
  removeFromList(({ phase }) => phase === "finished" || phase === "cancelled");
}
