import { parseResponse, type RawResponse } from "../support/response-parser.ts";

const noBodyFollows = Buffer.from("HTTP/1.1 ");

/**
 * All final answers in what one connection received, in order. Whether an answer is HEAD's cannot
 * be known where the request was mangled: with `headPossible` one whose body does not follow
 * counts as such.
 */
export function answersIn(received: Buffer, { headPossible }: { headPossible: boolean }) {
  const answers: RawResponse[] = [];
  let rest = received;
  while (rest.length > 0) {
    const asHead = parseResponse(rest, { method: "HEAD", ended: true });
    if (asHead === undefined) return { answers, rest };
    const after = rest.subarray(asHead.consumed);
    const bodiless = after.length === 0 || after.subarray(0, 9).equals(noBodyFollows);
    const parsed = parseResponse(rest, { method: "GET", ended: true });
    const chosen = headPossible && bodiless ? asHead : parsed;
    if (chosen === undefined) return { answers, rest };
    answers.push(chosen.response);
    rest = rest.subarray(chosen.consumed);
  }
  return { answers, rest };
}

/** The answers that have come whole so far, for a client that waits for a number of them. */
export function wholeAnswersIn(received: Buffer): number {
  try {
    let count = 0;
    for (let rest = received; ; count += 1) {
      const parsed = parseResponse(rest, { method: "GET", ended: false });
      if (parsed === undefined) return count;
      rest = rest.subarray(parsed.consumed);
    }
  } catch {
    // What is no answer will not become one by waiting; the judge says what is wrong with it.
    return Number.POSITIVE_INFINITY;
  }
}
