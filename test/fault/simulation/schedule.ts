import fc from "fast-check";
import type { BodyEnding } from "../../../packages/server/src/base/body.ts";
import type { CompletionRule } from "../../../packages/server/src/catalog/records.ts";
import type { AppendCompletion } from "../../../packages/server/src/engine/append-length.ts";
import type { DigestAlgorithm } from "../../../packages/server/src/engine/body-digest.ts";
import type { Weather } from "./weather.ts";

/** One body as it is planned: what of it fits the upload is decided when it is sent. */
export interface PlannedBody {
  readonly batches: readonly { readonly bytes: number; readonly gapMs: number }[];
  /** Goes on to the upload's last byte. */
  readonly fills: boolean;
  /** Sends this many bytes more than the upload lacks. */
  readonly excessBytes: number;
  readonly ending: Exclude<BodyEnding, "stopped">;
  readonly announces: boolean;
}

/** What an append says beside its bytes. */
export interface PlannedWords {
  readonly completes: AppendCompletion;
  /** How far the length that it says is beside the right one; undefined where it says none. */
  readonly lengthBeside: number | undefined;
  readonly digest: PlannedDigest | undefined;
}

export interface PlannedDigest {
  readonly algorithm: DigestAlgorithm;
  /** Of the bytes that are sent, of others, or announced and never told. */
  readonly kind: "right" | "wrong" | "missing";
}

export interface PlannedUpload {
  /** As it is meant; an append that ends it may make it another one where it is not said before. */
  readonly length: number;
  /** Created without it. */
  readonly isDeferred: boolean;
  readonly completes: CompletionRule;
  readonly lifetimeMs: number;
}

export type Action = {
  readonly atMs: number;
  /** Which of the schedule's uploads, counted round. */
  readonly upload: number;
} & (
  | {
      readonly kind: "append";
      readonly body: PlannedBody;
      readonly words: PlannedWords;
      /** Asks for the offset first, or goes on from the highest that was told. */
      readonly asks: boolean;
      /** How far beside the right offset it begins. */
      readonly besideBytes: number;
      readonly isRevoked: boolean;
    }
  | { readonly kind: "status" }
  | { readonly kind: "cancel" }
  | { readonly kind: "sweep" }
);

/** How a process ends: the power fails, it is killed, or it is stopped in order. */
export interface PlannedEnd {
  readonly kind: "power" | "kill" | "clean";
  /** After so many steps of the process, or when nothing is left to do. */
  readonly afterSteps: number;
  /** How long nothing runs then. */
  readonly restMs: number;
  /** Takes the end of a file away while nothing runs. */
  readonly robs: boolean;
}

/** The life of one process. */
export interface Phase {
  readonly actions: readonly Action[];
  readonly end: PlannedEnd;
}

export interface Schedule {
  readonly seed: number;
  readonly uploads: readonly PlannedUpload[];
  readonly weather: Weather;
  /**
   * Nobody waits for the writer before, and every take writes a file of its own: then the fence
   * alone keeps writers apart, as it must between nodes.
   */
  readonly fenceAlone: boolean;
  readonly phases: readonly Phase[];
}

const gapMs = fc.oneof(
  { weight: 5, arbitrary: fc.nat(10) },
  { weight: 2, arbitrary: fc.integer({ min: 10, max: 2_000 }) },
  // Long enough for a checkpoint by time.
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 30_000 }) },
);

const atMs = fc.oneof(
  { weight: 2, arbitrary: fc.nat(10) },
  { weight: 2, arbitrary: fc.integer({ min: 10, max: 3_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3_000, max: 90_000 }) },
);

const body: fc.Arbitrary<PlannedBody> = fc.record({
  batches: fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 2_500 }), gapMs }), {
    maxLength: 4,
  }),
  fills: fc.boolean(),
  excessBytes: rarely(fc.integer({ min: 1, max: 600 }), 0, 12),
  ending: fc.constantFrom("clean", "clean", "clean", "cut", "cut", "silent", "slow"),
  announces: fc.boolean(),
});

const words: fc.Arbitrary<PlannedWords> = fc.record({
  completes: fc.constantFrom("at_length", "at_length", "at_end", "as_created"),
  lengthBeside: rarely(rarely(fc.integer({ min: -300, max: 300 }), 0, 4), undefined, 4),
  digest: rarely<PlannedDigest, undefined>(
    fc.record({
      algorithm: fc.constantFrom("crc32", "md5", "sha1", "sha256"),
      kind: fc.constantFrom("right", "right", "wrong", "missing"),
    }),
    undefined,
    5,
  ),
});

const append = fc.record({
  kind: fc.constant("append" as const),
  body,
  words,
  asks: fc.boolean(),
  besideBytes: rarely(fc.integer({ min: -400, max: 400 }), 0, 12),
  isRevoked: rarely(fc.constant(true), false, 12),
});

const action: fc.Arbitrary<Action> = fc
  .tuple(
    fc.record({ atMs, upload: fc.nat(1) }),
    fc.oneof(
      { weight: 12, arbitrary: append },
      { weight: 2, arbitrary: fc.constant({ kind: "status" as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: "sweep" as const }) },
      {
        weight: 1,
        arbitrary: rarely(fc.constant({ kind: "cancel" as const }), { kind: "status" as const }, 2),
      },
    ),
  )
  .map(([where, what]) => ({ ...where, ...what }));

const phase: fc.Arbitrary<Phase> = fc.record({
  actions: fc.array(action, { minLength: 1, maxLength: 5 }),
  end: fc.record({
    kind: fc.constantFrom("power", "power", "kill", "clean"),
    afterSteps: fc.oneof(fc.nat(40), fc.nat(40), fc.nat(150)),
    restMs: rarely(fc.constant(2 * 60 * 60_000), 0, 8),
    robs: rarely(fc.constant(true), false, 60),
  }),
});

const weather: fc.Arbitrary<Weather> = fc.record({
  pace: fc.constantFrom("fast", "slow", "uneven"),
  shortWrites: fc.boolean(),
  noRoom: rarely(fc.constant(true), false, 2),
  deviceErrors: rarely(fc.constant(true), false, 3),
  kindNames: rarely(fc.constant(true), false, 3),
  catalogFull: rarely(fc.constant(true), false, 3),
  unknownCommits: rarely(fc.constant(true), false, 3),
});

/** Up to three crashes in the lives of one or two uploads. */
export const anySchedule: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  uploads: fc.array(
    fc.record({
      length: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1_000, max: 20_000 })),
      isDeferred: rarely(fc.constant(true), false, 3),
      completes: rarely<CompletionRule, CompletionRule>(fc.constant("when_told"), "at_length", 3),
      lifetimeMs: rarely(fc.constant(30 * 60_000), 24 * 60 * 60_000, 8),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  weather,
  fenceAlone: rarely(fc.constant(true), false, 8),
  phases: fc.array(phase, { minLength: 1, maxLength: 3 }),
});

/** The usual value all but once in `oneIn` times. */
function rarely<Rare, Usual>(
  rare: fc.Arbitrary<Rare>,
  usual: Usual,
  oneIn: number,
): fc.Arbitrary<Rare | Usual> {
  return fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: rare },
  );
}
