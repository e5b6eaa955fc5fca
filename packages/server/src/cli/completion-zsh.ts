import { valueCases } from "./completion-cases.ts";
import type { CommandWords, Values } from "./completion-words.ts";

/** A script that can be sourced, or lie as `_hawser` in a directory of `fpath`. */
export function zshCompletion(all: readonly CommandWords[]): string {
  const paths = all.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]));
  return `#compdef hawser
# hawser completion for zsh; load it with: source <(hawser completion zsh)
_hawser() {
  local current=$words[CURRENT] previous=$words[CURRENT-1] called= next
  local -a entries
  local -i at
  for ((at = 2; at < CURRENT; at++)); do
    next="\${called:+$called }$words[at]"
    case $next in
      ${paths.join("|")}) called=$next ;;
    esac
  done
  case "$called:$previous" in
${all.flatMap((words) => valueCases(words, offer)).join("\n")}
  esac
  case $called in
${all.map(commandCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _hawser ]]; then _hawser "$@"; else compdef _hawser hawser; fi
`;
}

function commandCase({ path, commands, options, values }: CommandWords): string {
  const flags = options.map(({ long, description }) => entry(long, description));
  const names = commands.map(({ name, description }) => entry(name, description));
  const rest = names.length > 0 ? describe("command", names) : offer(values);
  return `    "${path}")
      if [[ $current == -* ]]; then ${describe("option", flags)}
      else ${rest}; fi ;;`;
}

function describe(tag: string, entries: readonly string[]): string {
  return `entries=(${entries.join(" ")}); _describe ${tag} entries`;
}

function offer(values: Values): string {
  if (values === "unknown") return ":";
  if (values === "files") return "_files";
  return values === "directories" ? "_files -/" : `compadd -- ${values.join(" ")}`;
}

/** `'name:what it does'`: a colon in the name would end it, a quote the word. */
function entry(name: string, description: string): string {
  return `'${name}:${description.replaceAll("'", "'\\''")}'`;
}
