import { printJson, print, table, tame } from "./output.ts";

/** An object of the administration as `name  value` lines, or as one line of JSON. */
export function printFields(value: object, json: boolean): void {
  if (json) {
    printJson(value);
    return;
  }
  const rows = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [name, wordsOf(field)]);
  for (const line of table(rows)) print(line);
}

/** Objects as a table of some of their fields, or each as one line of JSON. */
export function printList(
  values: readonly object[],
  fields: readonly string[],
  json: boolean,
): void {
  if (json) {
    for (const value of values) printJson(value);
    return;
  }
  const rows = values.map((value) => {
    const named = new Map<string, unknown>(Object.entries(value));
    return fields.map((field) => wordsOf(named.get(field)));
  });
  for (const line of table([fields.map((field) => field.toUpperCase()), ...rows])) print(line);
}

function wordsOf(field: unknown): string {
  if (field === undefined || field === "") return "-";
  if (typeof field === "string") return tame(field);
  if (Array.isArray(field) && field.every((item) => typeof item === "string")) {
    return tame(field.join(","));
  }
  return tame(JSON.stringify(field));
}
