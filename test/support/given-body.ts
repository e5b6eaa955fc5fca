import type { Body, BodyBatch, BodyEnding } from "../../packages/server/src/base/body.ts";

export interface GivenBody {
  readonly ending?: BodyEnding;
  /** Not announced, as where a request is chunked. */
  readonly chunked?: boolean;
}

/** A body of these chunks, one batch each, that ends as told. */
export function givenBody(
  chunks: readonly Uint8Array[],
  { ending = "clean", chunked = false }: GivenBody = {},
): Body {
  const left = [...chunks];
  const whole = chunks.reduce((sum, { length }) => sum + length, 0);
  return {
    // What is announced is more than what comes where the body is cut.
    announcedLength: chunked ? undefined : whole + (ending === "clean" ? 0 : 1),
    // All of it is here from the start.
    isOver: true,
    next: (): Promise<BodyBatch> => {
      const chunk = left.shift();
      if (chunk === undefined) return Promise.resolve({ kind: "end", ending });
      const { length } = chunk;
      return Promise.resolve({ kind: "bytes", chunks: [chunk], length, waitedMs: 0 });
    },
    stop: () => {
      left.length = 0;
    },
  };
}
