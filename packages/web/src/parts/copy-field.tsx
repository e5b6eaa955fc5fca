import { useRef, useState } from "preact/hooks";
import { announce } from "../state/announcements.ts";
import { copyText } from "../state/clipboard.ts";
import { Icon } from "./icon.tsx";

export interface CopyFieldProps {
  readonly label: string;
  readonly text: string;
  /** What it is for, one sentence. */
  readonly help?: string;
}

/** A text to take along: selected by a click, copied by the button. */
export function CopyField({ label, text, help }: CopyFieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const done = await copyText(text, field.current);
    setCopied(done);
    announce(done ? `${label} copied.` : `${label} is selected: copy it with the keyboard.`);
  };
  return (
    <div class="copy-field">
      <label>
        <span class="copy-label">{label}</span>
        <textarea
          ref={field}
          readOnly
          rows={Math.min(4, Math.ceil(text.length / 44))}
          spellcheck={false}
          value={text}
          onFocus={(event) => {
            event.currentTarget.select();
          }}
        />
      </label>
      <button
        type="button"
        class="button"
        aria-label={`Copy: ${label}`}
        onClick={() => void copy()}
      >
        <Icon name={copied ? "check" : "copy"} />
        {copied ? "Copied" : "Copy"}
      </button>
      {help !== undefined && <p class="help">{help}</p>}
    </div>
  );
}
