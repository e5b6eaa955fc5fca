import { Icon } from "../parts/icon.tsx";
import { RopeBar } from "../parts/rope-bar.tsx";
import { announce } from "../state/announcements.ts";
import { question } from "../state/details.ts";
import { ServerRefusal } from "../state/server-api.ts";
import { bytesInWords, percentInWords } from "../words/amounts.ts";
import { asSentence } from "../words/trouble.ts";
import { endUpload, liveTrouble } from "./live.ts";
import type { LiveUpload } from "./live-words.ts";
import { writerInWords } from "./writer-words.ts";

export interface LiveRowProps {
  readonly upload: LiveUpload;
  /** The server's time of this picture. */
  readonly now: string;
}

export function LiveRow({ upload, now }: LiveRowProps) {
  const { name, offset, length, received, writer, stalledSince } = upload;
  const stalled = stalledSince !== null;
  const lengthless = `${bytesInWords(offset)} durable, length not known`;
  return (
    <li class={stalled ? "live-row stalled" : "live-row"}>
      <div class="row-body">
        <p class="row-head">
          <span class="row-name" title={upload.id}>
            {name}
          </span>
          <span class="row-size numbers">
            {length === null ? "length not known" : bytesInWords(length)}
          </span>
        </p>
        <RopeBar
          label={name}
          length={length ?? 0}
          sent={received ?? offset}
          confirmed={offset}
          words={length === null ? lengthless : `${percentInWords(offset, length)} durable`}
          tone={stalled ? "bad" : writer === null ? "still" : "calm"}
        />
        <p class="row-words numbers">
          {bytesInWords(offset)} durable · {writerInWords(upload, now)} · app {upload.appId}
        </p>
      </div>
      <div class="row-buttons">
        <button
          type="button"
          class="button small"
          onClick={() => {
            ask(upload, "expire");
          }}
        >
          Expire<span class="unseen"> {name}</span>
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={`Cancel ${name}`}
          title={`Cancel ${name}`}
          onClick={() => {
            ask(upload, "cancel");
          }}
        >
          <Icon name="cross" />
        </button>
      </div>
    </li>
  );
}

function ask({ id, name, offset }: LiveUpload, how: "cancel" | "expire"): void {
  const verb = how === "cancel" ? "Cancel" : "Expire";
  question.value = {
    title: `${verb} ${name}?`,
    words: `Its sender can not go on, and the ${bytesInWords(offset)} that are durable are removed.`,
    confirm: `${verb} this upload`,
    run: () => void end(id, how, name),
  };
}

async function end(id: string, how: "cancel" | "expire", name: string): Promise<void> {
  try {
    await endUpload(id, how);
    announce(`${name} is ${how === "cancel" ? "cancelled" : "expired"}.`);
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    const next = "Look whether it has ended meanwhile.";
    liveTrouble.value = { happened: asSentence(error.message), next };
  }
}
