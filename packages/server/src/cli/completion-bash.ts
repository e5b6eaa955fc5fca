import { valueCases } from "./completion-cases.ts";
import type { CommandWords, Values } from "./completion-words.ts";

/** A script for bash 3.2 and later, which macOS still has. */
export function bashCompletion(all: readonly CommandWords[]): string {
  const paths = all.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]));
  return `# hawser completion for bash; load it with: source <(hawser completion bash)
_hawser_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$2"))
}
_hawser() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} called= next at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="\${called:+$called }\${COMP_WORDS[at]}"
    case "$next" in
      ${paths.join("|")}) called=$next ;;
    esac
  done
  case "$called:$previous" in
${all.flatMap((words) => valueCases(words, reply)).join("\n")}
  esac
  case "$called" in
${all.map(commandCase).join("\n")}
  esac
}
complete -F _hawser hawser
`;
}

function commandCase({ path, commands, options, values }: CommandWords): string {
  const flags = options.map(({ long }) => long);
  const names = commands.map(({ name }) => name);
  const rest = names.length > 0 ? reply(names) : reply(values);
  return `    "${path}")
      if [[ $current == -* ]]; then ${reply(flags)}
      else ${rest}; fi ;;`;
}

function reply(values: Values): string {
  if (values === "unknown") return ":";
  if (values === "files") return `_hawser_files -f "$current"`;
  if (values === "directories") return `_hawser_files -d "$current"`;
  return `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current"))`;
}
