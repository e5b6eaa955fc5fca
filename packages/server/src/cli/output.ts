import { stripVTControlCharacters, styleText } from "node:util";

/** Results go to stdout, so that scripts can use them; everything else goes to stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON object, one line, on stdout. */
export function printJson(value: object): void {
  print(JSON.stringify(value));
}

/** Something for the human: progress, advice, errors. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Colour for stderr; none when it is no terminal or NO_COLOR is set. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

/** Colour for stdout; none when it is no terminal or NO_COLOR is set. */
export function paintResult(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** No colours from here on, whatever else the environment says. */
export function withoutColours(): void {
  process.env.NO_COLOR = "1";
  delete process.env.FORCE_COLOR;
}

/** Whether a human looks at stderr, on a terminal that can redraw a line. */
export function isWatched(): boolean {
  return process.stderr.isTTY && process.env.TERM !== "dumb";
}

/** Text from elsewhere, such as a file name, made unable to steer the terminal. */
export function tame(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is replaced
  return stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

/** Rows with their columns below each other; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
      .join("  "),
  );
}
