import type { CommandWords, Values } from "./completion-words.ts";

/** What follows an option that wants a value: cases that bash and zsh read alike. */
export function valueCases(
  { path, options }: CommandWords,
  offer: (values: Values) => string,
): string[] {
  return options.flatMap(({ long, short, values }) => {
    if (values === undefined) return [];
    const flags = [long, ...(short === undefined ? [] : [short])];
    const patterns = flags.map((flag) => `"${path}:${flag}"`).join("|");
    return [`    ${patterns}) ${offer(values)}; return ;;`];
  });
}
