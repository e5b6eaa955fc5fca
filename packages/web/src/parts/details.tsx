import { useEffect, useState } from "preact/hooks";
import { opened } from "../state/details.ts";
import { baseName } from "../state/known-file.ts";
import type { Preview } from "../state/publishing.ts";
import { fileAddress, previewOf, publish } from "../state/publishing.ts";
import type { Row } from "../state/rows.ts";
import { session } from "../state/session.ts";
import { bytesInWords } from "../words/amounts.ts";
import { downloadLine } from "../words/curl-line.ts";
import type { Trouble } from "../words/trouble.ts";
import { CopyField } from "./copy-field.tsx";
import { Dialog } from "./dialog.tsx";
import { TroubleNote } from "./trouble-note.tsx";

/** A finished upload: what it looks like, its handle, and the file that can be made of it. */
export function Details({ row }: { readonly row: Row }) {
  const { handle, fileId } = row.view.value;
  const close = () => {
    opened.value = undefined;
  };
  return (
    <Dialog title={baseName(row.name)} onClose={close}>
      <p class="soft numbers">
        {bytesInWords(row.length)}
        {row.type === "" ? "" : ` · ${row.type}`}
      </p>
      <Look row={row} />
      {fileId === undefined ? <Publish row={row} /> : <Published row={row} fileId={fileId} />}
      {handle !== undefined && (
        <CopyField
          label="Handle"
          text={handle}
          help="Proof of the complete upload. Pass it on whole, also when it has several lines."
        />
      )}
    </Dialog>
  );
}

/** Its place is kept free while the server is asked, so that nothing jumps. */
function Look({ row }: { readonly row: Row }) {
  const [preview, setPreview] = useState<Preview | "none">();
  useEffect(() => {
    void previewOf(row).then((found) => {
      setPreview(found ?? "none");
    });
  }, [row]);
  if (preview === undefined) return isShown(row.type) ? <div class="look" /> : null;
  if (preview === "none") return null;
  if (preview.type.startsWith("image/")) {
    return <img class="look" src={preview.url} alt={`Preview of ${row.name}`} />;
  }
  if (!preview.type.startsWith("video/")) return null;
  return <video class="look" src={preview.url} controls preload="metadata" />;
}

function isShown(type: string): boolean {
  if (!/^(image|video)\//.test(type)) return false;
  return session.value?.me.previewTypes.includes(type) === true;
}

function Publish({ row }: { readonly row: Row }) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  if (session.value?.me.scopes.includes("publish") !== true) return null;
  const run = async () => {
    setBusy(true);
    setTrouble(await publish(row));
    setBusy(false);
  };
  return (
    <div class="publish">
      <p>Publishing makes a file of it that keeps its address and can be downloaded.</p>
      <button type="button" class="button primary" disabled={busy} onClick={() => void run()}>
        {busy ? "Publishing…" : "Publish"}
      </button>
      {trouble !== undefined && <TroubleNote trouble={trouble} />}
    </div>
  );
}

function Published({ row, fileId }: { readonly row: Row; readonly fileId: string }) {
  const address = fileAddress(fileId);
  return (
    <>
      <CopyField label="File id" text={fileId} />
      <CopyField label="Link" text={address} help="It wants a token with the scope read." />
      <CopyField label="With curl" text={downloadLine(address, baseName(row.name))} />
    </>
  );
}
