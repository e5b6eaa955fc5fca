import { signal } from "@preact/signals";
import { recallText, rememberText } from "./browser-memory.ts";

/** `system` follows what the device says. */
export type Theme = "system" | "light" | "dark";

const order: readonly Theme[] = ["system", "light", "dark"];
const key = "hawser.theme";

export const theme = signal<Theme>(order.find((name) => name === recallText(key)) ?? "system");

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.value;
}

export function nextTheme(): void {
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? "system";
  rememberText(key, theme.value);
  applyTheme();
}
