import { uploadError } from "../base/errors.ts";

/** Where a request may carry a token, as it arrived: every occurrence counts. */
export interface CredentialSources {
  /** The values of all Authorization headers, not joined and not deduplicated. */
  readonly authorization: readonly string[];
  /** The values of all `access_token` parameters of query and body. */
  readonly parameters: readonly string[];
  /** Whether only the header counts on this route; parameters are then not even looked at. */
  readonly headerOnly: boolean;
}

/** The token of a request that must have one. */
export function readCredentials(sources: CredentialSources): string {
  const token = findCredentials(sources);
  if (token !== undefined) return token;
  const where = "the Authorization header";
  throw uploadError("token_missing", {
    where: sources.headerOnly ? where : `${where} or the access_token parameter`,
  });
}

/** The one function that takes a token from a request. Requests that contradict themselves fail. */
export function findCredentials(sources: CredentialSources): string | undefined {
  const { authorization, parameters, headerOnly } = sources;
  const fromHeader = readHeader(authorization);
  const fromParameters = headerOnly ? [] : parameters.filter((token) => token !== "");
  const tokens = new Set(fromHeader === undefined ? [] : [fromHeader]);
  for (const token of fromParameters) tokens.add(token);
  if (tokens.size > 1) {
    throw uploadError("request_malformed", {
      detail: "It carries two different access tokens.",
      aboutToken: true,
    });
  }
  const [token] = tokens;
  return token === undefined ? undefined : checkedToken(token);
}

function readHeader(values: readonly string[]): string | undefined {
  const [value] = values;
  if (value === undefined) return undefined;
  // Even two equal ones: a proxy in between may act on the one that we do not.
  if (values.length > 1) {
    throw uploadError("request_malformed", {
      detail: "It has more than one Authorization header.",
    });
  }
  const parts = /^(?:oauth|bearer)[ \t]+(.*)$/i.exec(value.trim());
  const token = parts?.[1];
  if (token === undefined) {
    throw uploadError("token_invalid", {
      problem: 'The Authorization header is not "OAuth <token>" or "Bearer <token>".',
    });
  }
  if (/[ \t]/.test(token)) {
    throw uploadError("request_malformed", {
      detail: "The Authorization header holds more than one token.",
    });
  }
  return token;
}

/** An app token has a secret of up to 255 characters after an id of up to 20 and a bar. */
const tokenCharactersMax = 20 + 1 + 255;

function checkedToken(token: string): string {
  if (token.length > tokenCharactersMax || !/^[\x21-\x7e]+$/.test(token)) {
    throw uploadError("token_invalid", {
      problem: `A token is 1 to ${tokenCharactersMax} visible ASCII characters.`,
    });
  }
  return token;
}
