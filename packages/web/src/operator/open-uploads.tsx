import { countInWords } from "../words/amounts.ts";
import type { LivePicture } from "./live-words.ts";
import { LiveRow } from "./live-row.tsx";
import type { ListedUploads } from "./live.ts";
import { listed } from "./live.ts";

/** Open uploads, the last changed first, a page at a time; or those that have stalled. */
export function OpenUploads({ live }: { readonly live: LivePicture }) {
  const { uploads, stalled } = live;
  const open = live.counts.open ?? uploads.length;
  return (
    <section class="card open-uploads">
      <h2>Open uploads</h2>
      <div class="filter" role="group" aria-label="Show">
        <Choice words="All" count={open} list={{ stalled: false }} />
        <Choice words="Stalled" count={stalled} list={{ stalled: true }} />
      </div>
      {uploads.length === 0 ? (
        <p class="soft">{nothingInWords(listed.value)}</p>
      ) : (
        <ol class="live-list">
          {uploads.map((upload) => (
            <LiveRow key={upload.id} upload={upload} now={live.at} />
          ))}
        </ol>
      )}
      <Pages live={live} />
    </section>
  );
}

interface ChoiceProps {
  readonly words: string;
  readonly count: number;
  readonly list: ListedUploads;
}

function Choice({ words, count, list }: ChoiceProps) {
  return (
    <button
      type="button"
      aria-pressed={listed.value.stalled === list.stalled}
      onClick={() => {
        listed.value = list;
      }}
    >
      {words} <span class="numbers">{count.toLocaleString("en")}</span>
    </button>
  );
}

function nothingInWords({ stalled, after }: ListedUploads): string {
  if (stalled) return "None has stalled.";
  return after === undefined ? "Nobody is uploading." : "There are no older ones.";
}

/** Says what is not listed, and leads there. */
function Pages({ live: { uploads, stalled, next } }: { readonly live: LivePicture }) {
  const list = listed.value;
  const shown = uploads.length;
  if (list.stalled) {
    if (shown === 0 || shown >= stalled) return null;
    return <p class="soft">The {countInWords(shown, "upload")} that have stalled longest.</p>;
  }
  return (
    <div class="live-pages">
      {list.after !== undefined && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            listed.value = { stalled: false };
          }}
        >
          Newest
        </button>
      )}
      {next !== null && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            listed.value = { stalled: false, after: next };
          }}
        >
          Older
        </button>
      )}
    </div>
  );
}
