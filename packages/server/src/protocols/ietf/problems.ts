import { STATUS_CODES } from "node:http";

/** Problem details (RFC 9457) with what goes beside them. */
export interface Problem {
  readonly status: number;
  /** One that the draft registers; else the status says it all. */
  readonly type?: ProblemType;
  readonly detail: string;
  /** Members of its own. */
  readonly members?: Readonly<Record<string, number | string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where an upload that stays open stands, in bytes. */
  readonly offset?: number | undefined;
  /** What a request like the refused one may bring, in bytes. */
  readonly appendSizeMax?: number;
  /** The upload came whole and is over: this is the answer of who was to take it, not of its URL. */
  readonly isFinal?: boolean;
}

export type ProblemType = keyof typeof titles;

/** The titles of the draft's registrations. */
const titles = {
  "mismatching-upload-offset": "Mismatching Upload Offset",
  "completed-upload": "Upload Is Completed",
  "inconsistent-upload-length": "Inconsistent Upload Length Values",
} as const;

const registry = "https://iana.org/assignments/http-problem-types#";

/** What only this protocol refuses, so that the engine has no word for it. */
export class IetfRefusal extends Error {
  override readonly name = "IetfRefusal";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** @param extra what the log line is found by. */
export function problemBody(
  { status, type, detail, members }: Problem,
  extra: Readonly<Record<string, string>>,
): string {
  const plain = { type: "about:blank", title: STATUS_CODES[status] ?? "Unknown" };
  const named = type === undefined ? plain : { type: `${registry}${type}`, title: titles[type] };
  return JSON.stringify({ ...named, status, detail, ...members, ...extra });
}
