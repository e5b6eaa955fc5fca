import { computed, signal } from "@preact/signals";
import { canUpload, isOperator } from "./session.ts";

const hash = signal(location.hash);

addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** Only operators have the second view, and some of them have no other. */
export const view = computed<"uploads" | "operator">(() => {
  if (!isOperator.value) return "uploads";
  return hash.value === "#live" || !canUpload.value ? "operator" : "uploads";
});
