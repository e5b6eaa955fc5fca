/** A count from the environment, for long runs by hand. */
export function wholeNumber(name: string, otherwise: number): number {
  return wholeNumberGiven(name) ?? otherwise;
}

/** The same, or undefined when nobody asked for one. */
export function wholeNumberGiven(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} is no count: ${text}`);
  return value;
}
