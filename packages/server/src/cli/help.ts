import { Command } from "commander";
import { runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError, describeFailure, tellFailure } from "./failure.ts";
import { helpTopics, topicAliases } from "./help-topics.ts";
import { print, table } from "./output.ts";
import { loadProgram } from "./program.ts";

/** `hawser help [TOPIC|COMMAND]`. */
export function helpCommand(): Command {
  return new Command("help")
    .description("explain a topic or a command")
    .argument("[topic|command...]", `${Object.keys(helpTopics).join(", ")}; or a command`)
    .addHelpText("after", examples)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    })
    .action((words: string[]) => runClientCommand({}, () => help(words), "showing"));
}

const examples = `
Examples:
  hawser help resume          a topic
  hawser help put             a command
  hawser help token create    a command of a command`;

async function help(words: readonly string[]): Promise<ExitCode> {
  const [word] = words;
  if (word === undefined) {
    (await loadProgram()).outputHelp();
    print(topicList());
    return exitCodes.ok;
  }
  const topicName = topicAliases[word] ?? word;
  const topic = Object.hasOwn(helpTopics, topicName) ? helpTopics[topicName] : undefined;
  if (topic !== undefined) {
    print(topic.text().trim());
    return exitCodes.ok;
  }
  const command = find(await loadProgram(word), words);
  if (command !== undefined) {
    command.outputHelp();
    return exitCodes.ok;
  }
  const hint = `Topics: ${Object.keys(helpTopics).join(", ")}. "hawser --help" shows the commands.`;
  const unknown = new CommandError(exitCodes.usage, `there is no help on ${words.join(" ")}`, hint);
  tellFailure(describeFailure(unknown), false);
  return exitCodes.usage;
}

function find(program: Command, words: readonly string[]): Command | undefined {
  let command: Command | undefined = program;
  for (const word of words) {
    command = command?.commands.find((each) => each.name() === word);
  }
  return command;
}

function topicList(): string {
  const rows = Object.entries(helpTopics).map(([name, { summary }]) => [`  ${name}`, summary]);
  return ["Topics of hawser help:", ...table(rows)].join("\n");
}
