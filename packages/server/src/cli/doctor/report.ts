import { paintResult, print, printJson, tame } from "../output.ts";
import type { Outcome, Probe } from "./probe.ts";
import type { Proxy } from "./proxy.ts";
import { proxyKinds, remedies, type Fault, type Remedy } from "./remedies.ts";

/** Tells each outcome as it comes. */
export interface Report {
  readonly seen: (probe: Probe, outcome: Outcome) => void;
  readonly end: (outcomes: readonly Outcome[]) => void;
}

/** The lines to change, of the proxy that was recognised or of all that are known. */
function remedyFor(fault: Fault, { kind, isBare }: Proxy): Remedy {
  const remedy = remedies[fault];
  const { hawser } = remedy;
  if (isBare && hawser !== undefined) return { hawser };
  if (kind === undefined) return remedy;
  const own = remedy[kind] ?? [];
  return { [kind]: own, ...(hawser === undefined ? {} : { hawser }) };
}

/** A checklist for people. */
export function listReport(url: string, proxy: Proxy): Report {
  print(`${url}, through ${tame(proxy.name ?? "no proxy that is known here")}`);
  return {
    seen: (probe, outcome) => {
      print(`${marks[outcome.kind]} ${probe.title}: ${tame(outcome.evidence)}`);
      if (outcome.kind !== "finding") return;
      for (const line of changeLines(outcome.fault, proxy)) print(`    ${line}`);
    },
    end: (outcomes) => {
      const { findings, notSeen } = count(outcomes);
      const found = findings === 1 ? "1 finding" : `${findings === 0 ? "no" : findings} findings`;
      print(`${found}${notSeen === 0 ? "" : `; ${notSeen} could not be looked at`}`);
    },
  };
}

/** One object a line, the sum at the end. */
export function jsonReport(url: string, proxy: Proxy): Report {
  return {
    seen: ({ name }, { kind, evidence, ...rest }) => {
      const fault = "fault" in rest ? rest.fault : undefined;
      const change = fault === undefined ? undefined : remedyFor(fault, proxy);
      printJson({ probe: name, outcome: kind, evidence, fault, change });
    },
    end: (outcomes) => {
      printJson({ url, proxy: proxy.kind, proxyName: proxy.name, ...count(outcomes) });
    },
  };
}

const marks: Readonly<Record<Outcome["kind"], string>> = {
  ok: paintResult("green", "✓"),
  finding: paintResult("red", "✗"),
  "could-not-look": paintResult("yellow", "–"),
};

const names = { nginx: "nginx", haproxy: "HAProxy", caddy: "Caddy", hawser: "Hawser" };

function changeLines(fault: Fault, proxy: Proxy): string[] {
  const remedy = remedyFor(fault, proxy);
  return [...proxyKinds, "hawser" as const].flatMap((kind) =>
    (remedy[kind] ?? []).map((line) => `${names[kind]}: ${line}`),
  );
}

function count(outcomes: readonly Outcome[]): { findings: number; notSeen: number } {
  const of = (kind: Outcome["kind"]): number =>
    outcomes.filter((outcome) => outcome.kind === kind).length;
  return { findings: of("finding"), notSeen: of("could-not-look") };
}
