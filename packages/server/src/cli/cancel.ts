import type { Command } from "commander";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { findUpload } from "./known-upload.ts";
import { print, printJson } from "./output.ts";
import { connect, findTarget, openResumeStore } from "./target.ts";

/** `hawser cancel ID|FILE`: gives an upload up and forgets it. */
export function cancelCommand(): Command {
  return clientCommand("cancel", "give an upload up; the server deletes what it has", examples)
    .argument("<id|file>", "an upload's id, or the local file it was made from")
    .action((named: string, flags: ClientFlags) =>
      runClientCommand(flags, (signal) => cancel(named, flags, signal)),
    );
}

const examples = `
Examples:
  hawser cancel film.mp4            the local file is not touched
  hawser cancel 'upload:MTphdH…'`;

async function cancel(named: string, flags: ClientFlags, signal: AbortSignal): Promise<ExitCode> {
  const target = await findTarget(flags);
  const store = openResumeStore();
  const { id, label, remembered } = await findUpload(named, target, store);
  await connect(target).cancel(id, signal);
  if (remembered !== undefined) await store.remove(remembered.key);
  if (flags.json === true) printJson({ id, cancelled: true });
  else print(`${label}: cancelled`);
  return exitCodes.ok;
}
