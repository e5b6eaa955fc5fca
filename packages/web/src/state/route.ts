import { computed, signal } from "@preact/signals";
import { isOperator } from "./session.ts";

const hash = signal(location.hash);

addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** The page has two views; only operators have the second. */
export const view = computed<"uploads" | "operator">(() =>
  hash.value === "#live" && isOperator.value ? "operator" : "uploads",
);
