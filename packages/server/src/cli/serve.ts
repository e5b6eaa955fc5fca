import { Command } from "commander";
import { asError } from "../base/errors.ts";
import { configOptions, readConfig, type Config } from "../service/config.ts";
import { startService, type RunningService } from "../service/compose.ts";
import { exitCodes } from "./exit-codes.ts";

const help = `
Every option can also be given in the environment (--log-level is HAWSER_LOG_LEVEL) or in one
YAML file (--config; there it is "log: { level: ... }" or "log-level"). Flags win over the
environment, and the environment over the file.

On the first start an app and a token are made and shown. HAWSER_APP_ID, HAWSER_APP_SECRET and
HAWSER_TOKEN set them instead; a token given that way is never shown.

Examples:
  hawser serve
  hawser serve --port 9000 --data /srv/hawser
  hawser serve --open                          # for trials: no token is asked for on this machine
  HAWSER_TOKEN=secret HAWSER_APP_ID=1234 HAWSER_APP_SECRET=other hawser serve --host 0.0.0.0
`;

/** `hawser serve` */
export function serveCommand(): Command {
  const command = new Command("serve")
    .description("run the server")
    .addHelpText("after", help)
    .showHelpAfterError("(--help shows examples)")
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    });
  for (const option of Object.values(configOptions)) {
    const preset = option.default === undefined ? "" : ` (default: ${option.default})`;
    command.option(option.flag, `${option.description}${preset}`);
  }
  return command.action(async (flags: Record<string, unknown>) => {
    const config = configOrExit(flags);
    if (config !== undefined) await serve(config);
  });
}

function configOrExit(flags: Record<string, unknown>): Config | undefined {
  try {
    return readConfig({ flags, environment: process.env });
  } catch (error) {
    process.stderr.write(`hawser: ${asError(error).message}\n`);
    process.exitCode = exitCodes.usage;
    return undefined;
  }
}

async function serve(config: Config): Promise<void> {
  let service: RunningService;
  try {
    service = await startService(config, () => process.exit(exitCodes.failed));
  } catch (error) {
    process.stderr.write(`hawser: ${asError(error).message}\n`);
    process.exit(exitCodes.failed);
  }
  // Before a word is said: who reads it may send the signal at once.
  const stop = (): void => {
    void service.stop().then(
      () => process.exit(exitCodes.ok),
      (error: unknown) => {
        process.stderr.write(`hawser: ${asError(error).message}\n`);
        process.exit(exitCodes.failed);
      },
    );
  };
  // Not once: a second signal, as a terminal and what runs in it may send, must not end the drain.
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdout.write(`listening on ${service.url}\n`);
  if (config.open) process.stdout.write("open: requests from this machine need no token\n");
  const { newToken, tokenPath, appId } = service.access;
  if (tokenPath !== undefined) {
    process.stdout.write(`the token of the first start is in ${tokenPath}\n`);
  }
  if (newToken !== undefined) {
    process.stdout.write(firstSteps({ url: service.url, appId, token: newToken }));
  }
}

/** Three lines that work as printed, in one shell, with nothing to replace. */
function firstSteps(made: { url: string; appId: string; token: string }): string {
  const { url, appId, token } = made;
  const start =
    `${url}/v21.0/${appId}/uploads?file_name=hello.pdf&file_length=6` +
    `&file_type=application/pdf&access_token=${token}`;
  const session = `${url}/v21.0/$ID`;
  return `
An app and a token were made for you:
  app id  ${appId}
  token   ${token}

Three lines to try it (start, upload, ask where it is):
  ID=$(curl -s -X POST "${start}" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
  printf '%%PDF-1' | curl -s -X POST "${session}" -H "Authorization: OAuth ${token}" -H "file_offset: 0" --data-binary @-; echo
  curl -s "${session}" -H "Authorization: OAuth ${token}"; echo

Or upload a file of yours:  npx hawser put FILE
`;
}
