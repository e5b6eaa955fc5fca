import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { UploadError } from "hawser-client";
import { asError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import { Deployment } from "./doctor/deployment.ts";
import { UntrustedError } from "./doctor/line.ts";
import { couldNotLook, type Outcome, type Probe } from "./doctor/probe.ts";
import { bodyCap } from "./doctor/probes/body-cap.ts";
import { certificate } from "./doctor/probes/certificate.ts";
import { clock } from "./doctor/probes/clock.ts";
import { connections } from "./doctor/probes/connections.ts";
import { cors } from "./doctor/probes/cors.ts";
import { cutUpload } from "./doctor/probes/cut-upload.ts";
import { interimAnswers } from "./doctor/probes/interim-answers.ts";
import { methodsPass } from "./doctor/probes/methods.ts";
import { ownAddress } from "./doctor/probes/own-address.ts";
import { requestBuffering } from "./doctor/probes/request-buffering.ts";
import { requestHeader } from "./doctor/probes/request-header.ts";
import { silence } from "./doctor/probes/silence.ts";
import { unalteredAnswers } from "./doctor/probes/unaltered-answers.ts";
import { recogniseProxy, type Proxy } from "./doctor/proxy.ts";
import { reach } from "./doctor/reach.ts";
import { jsonReport, listReport } from "./doctor/report.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { note, tame } from "./output.ts";
import { findTarget } from "./target.ts";

interface DoctorFlags extends ClientFlags {
  readonly patience: number;
  readonly origin: string;
  readonly type: string;
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly insecure?: boolean;
}

const probes: readonly Probe[] = [
  certificate,
  methodsPass,
  requestHeader,
  requestBuffering,
  bodyCap,
  silence,
  interimAnswers,
  cutUpload,
  unalteredAnswers,
  connections,
  ownAddress,
  clock,
  cors,
];
const probeNames = probes.map(({ name }) => name);

/** `hawser doctor URL`: what of a proxy's configuration breaks uploads, and what to change. */
export function doctorCommand(): Command {
  return clientCommand("doctor", "find what a proxy in front of a server breaks", examples)
    .argument("[url]", "the address that clients use, with the proxy (else as --to)")
    .option("--patience <seconds>", "how long a silence the proxy should bear", readPatience, 15)
    .option("--origin <origin>", "an origin whose pages are to upload", "https://example.com")
    .option("--type <type>", "a media type that the app takes", "application/pdf")
    .option("--only <probes>", `some of ${probeNames.join(", ")}`, readNames)
    .option("--skip <probes>", "all but these", readNames)
    .option("--insecure", "go on, with the token, where the certificate is not trusted")
    .action((url: string | undefined, flags: DoctorFlags) =>
      runClientCommand(flags, (signal) => doctor(url, flags, signal)),
    );
}

const examples = `
Uploads, cuts and downloads small files through the proxy, removes them again, and prints what it
saw (✓), what is wrong and what to change (✗), and what it could not look at (–). The token needs
the scopes create, append, read, publish and delete. Ends with 1 when something is wrong.

Examples:
  hawser doctor https://files.example.com --app 1234567890     the token in HAWSER_TOKEN
  hawser doctor https://files.example.com --origin https://app.example.com --patience 25
  hawser doctor http://127.0.0.1:8080 --json --only request-buffering,body-cap
  NODE_EXTRA_CA_CERTS=ca.pem hawser doctor https://files.internal     a CA of your own`;

/** The server itself gives a silent body up, so a longer patience would blame the proxy for it. */
const patienceSecondsMax = limits.bodySilentMsMax / 1000 - 5;

function readPatience(text: string): number {
  const seconds = Number(text);
  if (seconds >= 1 && seconds <= patienceSecondsMax) return seconds;
  throw new InvalidArgumentError(`Give seconds from 1 to ${patienceSecondsMax}.`);
}

function readNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.every((name) => probeNames.includes(name))) return names;
  throw new InvalidArgumentError(`Give some of ${probeNames.join(", ")}.`);
}

async function doctor(
  url: string | undefined,
  flags: DoctorFlags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const target = await findTarget(url === undefined ? flags : { ...flags, to: url });
  const deployment = new Deployment({
    url: readUrl(target.url),
    appId: target.appId,
    token: target.token,
    patienceMs: flags.patience * 1000,
    insecure: flags.insecure === true,
    origin: flags.origin,
    type: flags.type,
    signal,
  });
  const outcomes = await examine(deployment, flags).finally(async () => {
    for (const id of await deployment.cleanUp()) note(`could not remove ${tame(id)}`);
  });
  return outcomes.some(({ kind }) => kind === "finding") ? exitCodes.failed : exitCodes.ok;
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  const hint = "Give one such as https://files.example.com.";
  throw new CommandError(exitCodes.usage, `${text} is no address`, hint);
}

async function examine(deployment: Deployment, flags: DoctorFlags): Promise<Outcome[]> {
  const proxy = await seenProxy(deployment);
  const report = (flags.json === true ? jsonReport : listReport)(deployment.url, proxy);
  const outcomes: Outcome[] = [];
  for (const probe of probes) {
    if (!isWanted(probe, flags)) continue;
    const outcome = await lookWith(probe, deployment);
    outcomes.push(outcome);
    report.seen(probe, outcome);
  }
  report.end(outcomes);
  return outcomes;
}

function isWanted({ name }: Probe, { only, skip }: DoctorFlags): boolean {
  return only?.includes(name) !== false && skip?.includes(name) !== true;
}

/** Where no certificate vouches for the other side it is told no token, and is not asked. */
async function seenProxy(deployment: Deployment): Promise<Proxy> {
  try {
    return await recogniseProxy(deployment, await reach(deployment));
  } catch (error) {
    if (error instanceof UntrustedError) return { kind: undefined, name: undefined, isBare: false };
    throw error;
  }
}

async function lookWith(probe: Probe, deployment: Deployment): Promise<Outcome> {
  const { signal } = deployment.options;
  let outcome: Outcome;
  try {
    outcome = await probe.look(deployment);
  } catch (error) {
    outcome = couldNotLook(asError(error).message);
  }
  // What a probe saw of connections that an interrupt closed says nothing.
  if (signal.aborted) throw new UploadError("aborted", "stopped");
  return outcome;
}
