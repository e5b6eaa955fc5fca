/**
 * The file's name in a `Content-Disposition` (RFC 6266), whatever its disposition: `filename*`
 * before `filename`. Undefined where there is none, or none that can be read.
 */
export function fileNameOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const parameters = parametersOf(header);
  const extended = parameters.get("filename*");
  return (extended === undefined ? undefined : decoded(extended)) ?? parameters.get("filename");
}

const parameter = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*/gy;

function parametersOf(header: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const start = header.indexOf(";");
  if (start === -1) return parameters;
  for (const [, name = "", quoted, token = ""] of header.slice(start).matchAll(parameter)) {
    const value = quoted === undefined ? token : quoted.replaceAll(/\\(.)/g, "$1");
    parameters.set(name.toLowerCase(), sentText(value));
  }
  return parameters;
}

/** Node gives a header's bytes as Latin-1; clients mostly mean UTF-8 beyond ASCII. */
function sentText(value: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}

/** An extended value (RFC 8187) in the one charset that everybody must know. */
function decoded(value: string): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
