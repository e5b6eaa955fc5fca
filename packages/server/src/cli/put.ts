import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { UploadResult } from "hawser-client";
import { upload } from "hawser-client";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Failure } from "./failure.ts";
import { CommandError, describeFailure } from "./failure.ts";
import type { PutDisplay } from "./put-display.ts";
import { openDisplay } from "./put-display.ts";
import type { Target } from "./target.ts";
import { findTarget, openResumeStore } from "./target.ts";

interface PutFlags extends ClientFlags {
  readonly type?: string;
  readonly name?: string;
  readonly publish?: boolean;
  readonly fresh?: boolean;
  readonly parallel: number;
}

/** `hawser put FILE…`: uploads files, going on with what an earlier run left unfinished. */
export function putCommand(): Command {
  return clientCommand("put", "upload files; the same command again goes on after a stop", examples)
    .argument("<file...>", "the files to upload")
    .option("--type <type>", "media type such as application/pdf (guessed unless given)")
    .option("--name <name>", "file name told to the server (one file only)")
    .option("--publish", "publish each file when it is up; prints its file id, not the handle")
    .option("--parallel <count>", "files at the same time", readParallel, 3)
    .option("--fresh", "ignore what an earlier run left and start from the beginning")
    .action((files: string[], flags: PutFlags) =>
      runClientCommand(flags, (signal) => put(files, flags, signal)),
    );
}

const examples = `
Prints "name  handle" for each file on stdout. The handle proves that the upload is complete:
publish it here, or give it to a Meta endpoint that takes handles.

Examples:
  hawser put film.mp4                  to the local server; then: hawser publish film.mp4
  hawser put *.pdf --publish           upload and publish; prints file ids
  hawser put photo.jpg --json          {"file":"photo.jpg","handle":"4:…",…}
  hawser put film.mp4 --to https://graph.facebook.com --app 1234567890   to Meta itself
After Ctrl-C, a crash or a lost network run the same command again: it goes on where it stopped.`;

function readParallel(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1 && count <= 64) return count;
  throw new InvalidArgumentError("Give a whole number from 1 to 64.");
}

type Outcome =
  | { readonly kind: "done"; readonly result: UploadResult }
  | { readonly kind: "failed"; readonly failure: Failure };

interface Batch {
  readonly target: Target;
  readonly flags: PutFlags;
  readonly display: PutDisplay;
  readonly signal: AbortSignal;
}

async function put(named: string[], flags: PutFlags, signal: AbortSignal): Promise<ExitCode> {
  const files = distinct(named);
  if (flags.name !== undefined && files.length > 1) {
    const hint = "Upload the files one by one, or leave --name out.";
    throw new CommandError(exitCodes.usage, "--name is for one file only", hint);
  }
  const target = await findTarget(flags);
  const display = openDisplay({
    json: flags.json === true,
    publish: flags.publish === true,
    isMeta: new URL(target.url).hostname.endsWith("facebook.com"),
    fileCount: files.length,
  });
  try {
    const outcomes = await putAll(files, { target, flags, display, signal });
    return conclude(outcomes);
  } finally {
    display.close(signal.aborted);
  }
}

/** Each file once: two uploads of the same one would only fight over it. */
function distinct(files: readonly string[]): string[] {
  return Array.from(new Map(files.map((file) => [resolve(file), file])).values());
}

async function putAll(files: readonly string[], batch: Batch): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = files.values();
  const work = async () => {
    for (const file of queue) {
      if (batch.signal.aborted) return;
      outcomes.push(await putOne(file, batch));
    }
  };
  const { parallel } = batch.flags;
  await Promise.all(Array.from({ length: Math.min(parallel, files.length) }, work));
  return outcomes;
}

async function putOne(file: string, { target, flags, display, signal }: Batch): Promise<Outcome> {
  const shown = display.begin(file, flags.name ?? basename(file));
  try {
    const result = await upload(file, {
      ...target,
      ...{ name: flags.name, type: flags.type, publish: flags.publish, fresh: flags.fresh },
      resumeStore: openResumeStore(),
      keepCompleted: true,
      signal,
      onProgress: shown.progress,
      onState: shown.state,
      onWarning: shown.warning,
    });
    shown.done(result);
    return { kind: "done", result };
  } catch (error) {
    const failure = describeFailure(error);
    shown.failed(failure);
    return { kind: "failed", failure };
  }
}

function conclude(outcomes: readonly Outcome[]): ExitCode {
  const failures = outcomes.flatMap((outcome) =>
    outcome.kind === "failed" ? [outcome.failure.exitCode] : [],
  );
  const [first] = failures;
  if (first === undefined) return exitCodes.ok;
  if (failures.includes(exitCodes.interrupted)) return exitCodes.interrupted;
  if (failures.length < outcomes.length) return exitCodes.someFailed;
  return failures.every((code) => code === first) ? first : exitCodes.failed;
}
