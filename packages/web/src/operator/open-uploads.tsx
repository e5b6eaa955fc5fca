import { countInWords } from "../words/amounts.ts";
import type { LivePicture } from "./live-words.ts";
import { LiveRow } from "./live-row.tsx";

/** The open uploads that changed last. */
export function OpenUploads({ live }: { readonly live: LivePicture }) {
  const { uploads, counts, next } = live;
  const open = counts.open ?? uploads.length;
  return (
    <section class="card open-uploads">
      <h2>Open uploads</h2>
      {uploads.length === 0 ? (
        <p class="soft">Nobody is uploading.</p>
      ) : (
        <ol class="live-list">
          {uploads.map((upload) => (
            <LiveRow key={upload.id} upload={upload} now={live.at} />
          ))}
        </ol>
      )}
      {next !== null && (
        <p class="soft">
          The {countInWords(uploads.length, "upload")} that changed last, of{" "}
          {open.toLocaleString("en")}.
        </p>
      )}
    </section>
  );
}
