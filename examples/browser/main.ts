import type { BrowserInput } from "hawser-client/browser";
import { fileIdentity, resumeKey, upload, UploadError } from "hawser-client/browser";
import { IndexedDbResumeStore } from "hawser-client/indexed-db";

declare global {
  // Not in every browser, hence not in TypeScript's library.
  interface Window {
    showOpenFilePicker?(): Promise<FileSystemFileHandle[]>;
  }
  interface FileSystemHandle {
    requestPermission?(): Promise<PermissionState>;
  }
}

// A real page would ask its own server for a token of the user's.
const given = new URLSearchParams(location.hash.slice(1));
const connection = {
  url: given.get("url") ?? "http://127.0.0.1:8080",
  appId: given.get("app") ?? "app",
  token: given.get("token") ?? "",
};
const resumeStore = new IndexedDbResumeStore();

async function send(input: BrowserInput): Promise<void> {
  const bar = element("progress", HTMLProgressElement);
  try {
    const { handle, resumedFrom } = await upload(input, {
      ...connection,
      resumeStore,
      onProgress: ({ confirmed, length }) => {
        bar.value = confirmed / length;
      },
      onState: ({ kind }) => {
        say(kind);
      },
    });
    say(`done, from byte ${resumedFrom} on: ${handle}`);
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    say(`${error.message}. ${error.hint ?? ""}`);
  }
}

/** Keeps the handle before the upload begins, so that a reload finds it. */
async function pick(): Promise<void> {
  const [handle] = (await window.showOpenFilePicker?.()) ?? [];
  if (handle === undefined) return;
  const identity = await fileIdentity(await handle.getFile());
  await resumeStore.keepHandle(resumeKey(connection.url, connection.appId, identity), handle);
  await send(handle);
}

/** Offers to go on with an upload that a reload has stopped, if its handle was kept. */
async function offerToGoOn(): Promise<void> {
  for (const { key, entry } of await resumeStore.list()) {
    const handle = await resumeStore.handleOf(key);
    if (handle === undefined) continue;
    const button = element("go-on", HTMLButtonElement);
    button.textContent = `Go on with ${entry.name}`;
    button.hidden = false;
    // A browser asks for permission only in answer to a click.
    button.onclick = async () => {
      button.hidden = true;
      await handle.requestPermission?.();
      await send(handle);
    };
  }
}

function say(what: string): void {
  element("said", HTMLOutputElement).value = what;
}

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no #${id}`);
}

const input = element("file", HTMLInputElement);
input.onchange = () => {
  // The same file as before goes on where it was, because it is known by its content.
  for (const file of input.files ?? []) void send(file);
};
const picker = element("pick", HTMLButtonElement);
picker.hidden = window.showOpenFilePicker === undefined;
picker.onclick = pick;
await offerToGoOn();
