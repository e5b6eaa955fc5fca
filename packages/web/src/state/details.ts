import { signal } from "@preact/signals";
import type { Row } from "./rows.ts";

/** The finished upload whose details are shown. */
export const opened = signal<Row | undefined>(undefined);

export interface Question {
  readonly title: string;
  readonly words: string;
  /** What the button that does it says. */
  readonly confirm: string;
  readonly run: () => void;
  /** Whether there is nothing left to ask; never unless given. */
  readonly isMoot?: () => boolean;
}

/** What is asked before something cannot be taken back. */
export const question = signal<Question | undefined>(undefined);
