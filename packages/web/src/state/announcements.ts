import { signal } from "@preact/signals";

/** What a screen reader is told next. */
export const announcement = signal("");

let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Many at once become one sentence: nobody wants to hear five thousand names. */
export function announce(sentence: string): void {
  waiting.push(sentence);
  timer ??= setTimeout(speak, 600);
}

function speak(): void {
  const [first = ""] = waiting;
  announcement.value =
    waiting.length < 4 ? waiting.join(" ") : `${first} And ${waiting.length - 1} more.`;
  waiting = [];
  timer = undefined;
}
