import type { SQLInputValue } from "node:sqlite";

/** One statement of a change, compiled. */
export interface Step {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
  /** The whole change is `stale` and undone when fewer rows than this changed. */
  readonly changesAtLeast: number;
}

/** What the main thread asks of the writer worker: lists of requests, carried out in order. */
export type WriterRequest =
  | NumberedRequest
  /** These are not answered. */
  | { readonly kind: "fence"; readonly id: string; readonly fence: string }
  | { readonly kind: "release"; readonly id: string; readonly fence: string };

export type NumberedRequest =
  | {
      readonly kind: "change";
      readonly number: number;
      readonly steps: readonly Step[];
      readonly only: WriteCondition | undefined;
    }
  | {
      readonly kind: "take";
      readonly number: number;
      readonly id: string;
      readonly fence: string;
      readonly select: Step;
    }
  | { readonly kind: "close"; readonly number: number };

/** Fences live in the writer's memory: exactly one process owns a data directory. */
export type WriteCondition =
  | { readonly kind: "fenced"; readonly id: string; readonly fence: string }
  | { readonly kind: "unfenced"; readonly id: string }
  | { readonly kind: "unless_fenced"; readonly id: string; readonly fence: string };

/** Replies come as lists, too: one a group commit. */
export type WriterReply =
  | { readonly kind: "opened" }
  | { readonly kind: "failed_to_open"; readonly message: string }
  | { readonly kind: "done"; readonly number: number; readonly rows: readonly unknown[] }
  | { readonly kind: "stale"; readonly number: number }
  | { readonly kind: "full"; readonly number: number }
  | { readonly kind: "error"; readonly number: number; readonly message: string };
