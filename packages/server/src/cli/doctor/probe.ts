import type { Deployment } from "./deployment.ts";
import type { Fault } from "./remedies.ts";

/** What a probe saw. */
export type Outcome =
  | { readonly kind: "ok"; readonly evidence: string }
  | { readonly kind: "finding"; readonly evidence: string; readonly fault: Fault }
  | { readonly kind: "could-not-look"; readonly evidence: string };

/** One thing that is looked at through the proxy. */
export interface Probe {
  /** Names it in JSON and for `--only`. */
  readonly name: string;
  /** What it looks at, for the checklist. */
  readonly title: string;
  /** What is thrown counts as not having been able to look. */
  readonly look: (deployment: Deployment) => Promise<Outcome>;
}

export function ok(evidence: string): Outcome {
  return { kind: "ok", evidence };
}

export function finding(fault: Fault, evidence: string): Outcome {
  return { kind: "finding", fault, evidence };
}

export function couldNotLook(evidence: string): Outcome {
  return { kind: "could-not-look", evidence };
}
