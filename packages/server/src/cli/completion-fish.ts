import type { CommandWords, OptionWords, Values } from "./completion-words.ts";

/** Lines of `complete`, each with the condition under which it holds. */
export function fishCompletion(all: readonly CommandWords[]): string {
  const lines = all.flatMap((words) => [
    ...words.commands.map(({ name, description }) =>
      complete(words, [`-a ${quoted(name)}`, `-d ${quoted(description)}`]),
    ),
    ...valueLines(words),
    ...words.options.map((option) => complete(words, optionParts(option))),
  ]);
  return [
    "# hawser completion for fish; load it with: hawser completion fish | source",
    "complete -c hawser -e",
    "complete -c hawser -f",
    ...lines,
    "",
  ].join("\n");
}

function complete(words: CommandWords, parts: readonly string[]): string {
  return ["complete -c hawser", `-n ${quoted(conditionOf(words))}`, ...parts].join(" ");
}

/** Behind the command's own words, and not yet behind those of a command it holds. */
function conditionOf({ path, commands }: CommandWords): string {
  const names = commands.map(({ name }) => name).join(" ");
  if (path === "") return "__fish_use_subcommand";
  const seen = path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const unseen = names === "" ? [] : [`not __fish_seen_subcommand_from ${names}`];
  return [...seen, ...unseen].join("; and ");
}

function valueLines(words: CommandWords): string[] {
  const { values } = words;
  if (values === "unknown" || words.commands.length > 0) return [];
  return [complete(words, [valuesPart(values)])];
}

function optionParts({ long, short, description, values }: OptionWords): string[] {
  return [
    `-l ${long.slice(2)}`,
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(values === undefined ? [] : ["-r", valuesPart(values)]),
    `-d ${quoted(description)}`,
  ];
}

function valuesPart(values: Values): string {
  if (values === "unknown") return "-f";
  if (values === "files") return "-F";
  if (values === "directories") return "-f -a '(__fish_complete_directories)'";
  return `-f -a ${quoted(values.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
