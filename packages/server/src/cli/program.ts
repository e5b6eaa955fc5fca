import { Command } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { helpTopics } from "./help-topics.ts";
import { withoutColours } from "./output.ts";

const examples = `
To begin with, in two terminals in the same directory:
  hawser serve                      a server on http://127.0.0.1:8080, data in ./hawser-data
  hawser put holiday.mp4            upload a file to it; the same line again goes on after a cut

Then:
  hawser put clip.mp4 --publish     upload a file and publish it
  hawser help put                   what a command can do
  hawser help resume                what to know about a topic

Topics: ${Object.keys(helpTopics).join(", ")}
`;

/** Each command is loaded only when it is called: a server has no use for the client's code. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand(),
  put: async () => (await import("./put.ts")).putCommand(),
  status: async () => (await import("./status.ts")).statusCommand(),
  cancel: async () => (await import("./cancel.ts")).cancelCommand(),
  ls: async () => (await import("./ls.ts")).lsCommand(),
  publish: async () => (await import("./publish.ts")).publishCommand(),
  get: async () => (await import("./get.ts")).getCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  app: async () => (await import("./app.ts")).appCommand(),
  token: async () => (await import("./token.ts")).tokenCommand(),
  sweep: async () => (await import("./sweep.ts")).sweepCommand(),
  migrate: async () => (await import("./migrate.ts")).migrateCommand(),
  export: async () => (await import("./export.ts")).exportCommand(),
  import: async () => (await import("./import.ts")).importCommand(),
  repair: async () => (await import("./repair.ts")).repairCommand(),
  verify: async () => (await import("./verify.ts")).verifyCommand(),
  completion: async () => (await import("./completion.ts")).completionCommand(),
  help: async () => (await import("./help.ts")).helpCommand(),
};

/** The whole command, or only the part of it that is `called`. */
export async function loadProgram(called?: string): Promise<Command> {
  const program = new Command("hawser")
    .description("resumable uploads that are durable once they are acknowledged")
    .option("--no-color", "no colours (NO_COLOR does the same)")
    .helpCommand(false)
    .addHelpText("after", examples)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    })
    .hook("preAction", () => {
      if (program.opts<{ color: boolean }>().color) return;
      withoutColours();
    });
  const one = Object.hasOwn(commands, called ?? "") ? commands[called ?? ""] : undefined;
  for (const load of one === undefined ? Object.values(commands) : [one]) {
    program.addCommand(await load());
  }
  return program;
}
