import type { Argument, Command, Option } from "commander";

/** What may follow: nothing known, certain words, or the names of files or directories. */
export type Values = "unknown" | "files" | "directories" | readonly string[];

export interface OptionWords {
  /** `--output`. */
  readonly long: string;
  /** `-o`. */
  readonly short: string | undefined;
  readonly description: string;
  /** Undefined for an option without a value. */
  readonly values: Values | undefined;
}

/** What can be typed behind a command. */
export interface CommandWords {
  /** Such as `token create`; empty for `hawser` itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
  readonly values: Values;
}

/** The program and all its commands, those that hold others before what they hold. */
export function wordsOf(command: Command, path: readonly string[] = []): CommandWords[] {
  const commands = command.commands.map((each) => ({
    name: each.name(),
    description: each.description(),
  }));
  const options = command.options.flatMap(optionWords);
  const help = { long: "--help", short: "-h", description: "how it is used", values: undefined };
  const own = {
    path: path.join(" "),
    commands,
    options: [...options, help],
    values: valuesOf(command.registeredArguments[0]),
  };
  return [own, ...command.commands.flatMap((each) => wordsOf(each, [...path, each.name()]))];
}

/** The server's options do not name their values. */
const serverValues: Readonly<Record<string, Values>> = {
  "--data": "directories",
  "--config": "files",
};

function optionWords(option: Option): OptionWords[] {
  const { long, short, description, required, optional } = option;
  if (long === undefined) return [];
  const name = /<(.+)>|\[(.+)\]/.exec(option.flags)?.[1] ?? "";
  const known = option.argChoices ?? serverValues[long] ?? valuesNamed(name);
  return [{ long, short, description, values: required || optional ? known : undefined }];
}

function valuesOf(argument: Argument | undefined): Values {
  return argument?.argChoices ?? valuesNamed(argument?.name() ?? "");
}

function valuesNamed(name: string): Values {
  const kinds = name.split("|");
  if (kinds.includes("file") || kinds.includes("path")) return "files";
  return kinds.includes("directory") ? "directories" : "unknown";
}
