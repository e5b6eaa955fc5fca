import { signal } from "@preact/signals";

/** What the browser says of its own network; a server that does not answer shows in the rows. */
export const online = signal(navigator.onLine);

export function beginConnectionWatch(): void {
  for (const event of ["online", "offline"]) {
    addEventListener(event, () => {
      online.value = navigator.onLine;
    });
  }
}
