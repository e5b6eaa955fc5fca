import { Command } from "commander";
import { appCommand } from "./app.ts";
import { cancelCommand } from "./cancel.ts";
import { exitCodes } from "./exit-codes.ts";
import { getCommand } from "./get.ts";
import { lsCommand } from "./ls.ts";
import { publishCommand } from "./publish.ts";
import { putCommand } from "./put.ts";
import { serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import { sweepCommand } from "./sweep.ts";
import { tokenCommand } from "./token.ts";
import { verifyCommand } from "./verify.ts";

const examples = `
Examples:
  hawser serve                      a server on http://127.0.0.1:8080, data in ./hawser-data
  hawser put holiday.mp4            upload a file to it; the same line again goes on after a cut
  hawser put clip.mp4 --publish     upload it and publish it
  hawser help put                   what a command can do
`;

const program = new Command("hawser")
  .description("resumable uploads that are durable once they are acknowledged")
  .addHelpText("after", examples)
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  });

for (const command of [
  serveCommand(),
  putCommand(),
  statusCommand(),
  cancelCommand(),
  lsCommand(),
  publishCommand(),
  getCommand(),
  appCommand(),
  tokenCommand(),
  sweepCommand(),
  verifyCommand(),
]) {
  program.addCommand(command);
}

await program.parseAsync();
