const pathCharactersMax = 2_048;

/** What may stand before a path: the scheme and the host, with a name and a password, of a URL. */
export const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** Where parameters begin, also for a client that has encoded the mark, once or more often. */
const parameters = /[?#;&]|%(?:25)*(?:3f|23|3b|26)/i;

/** The path of a request's target as far as it cannot hold a token. */
export function loggablePath(target: string): string {
  const path = target.replace(authority, "");
  const end = path.search(parameters);
  return (end < 0 ? path : path.slice(0, end)).slice(0, pathCharactersMax);
}
