import { Argument, Command } from "commander";
import { runClientCommand } from "./client-command.ts";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { wordsOf } from "./completion-words.ts";
import type { CommandWords } from "./completion-words.ts";
import { zshCompletion } from "./completion-zsh.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { helpTopics } from "./help-topics.ts";
import { loadProgram } from "./program.ts";

type Shell = "bash" | "zsh" | "fish";

const scripts: Readonly<Record<Shell, (all: readonly CommandWords[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `hawser completion bash|zsh|fish`: a script made of the commands' own definitions. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("print a script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(scripts)))
    .addHelpText("after", examples)
    .showHelpAfterError("(--help shows examples)")
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    })
    .action((shell: Shell) => runClientCommand({}, () => tell(shell), "showing"));
}

async function tell(shell: Shell): Promise<ExitCode> {
  process.stdout.write(scripts[shell](await allWords()));
  return exitCodes.ok;
}

async function allWords(): Promise<CommandWords[]> {
  const program = await loadProgram();
  const names = program.commands.map((command) => command.name());
  // What help takes is more than its definition says.
  const helpValues = [...Object.keys(helpTopics), ...names];
  return wordsOf(program).map((words) =>
    words.path === "help" ? { ...words, values: helpValues } : words,
  );
}

const examples = `
Examples:
  source <(hawser completion bash)                              this shell, or in ~/.bashrc
  hawser completion zsh > "\${fpath[1]}/_hawser"                 zsh, from the next start on
  hawser completion fish > ~/.config/fish/completions/hawser.fish`;
