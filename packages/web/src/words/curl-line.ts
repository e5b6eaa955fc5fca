/** One shell word, whatever is in it. */
function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Fetches a published file. The token stays the shell's: it is shown nowhere. */
export function downloadLine(address: string, name: string): string {
  // -f: else what the server says of a refused token would be written into the file.
  return `curl -f -H "Authorization: OAuth $TOKEN" -o ${shellWord(name)} ${shellWord(address)}`;
}
