import { asUploadError } from "../errors.ts";
import type { TransportRequest } from "../transports/transport.ts";
import type { DialectParts } from "./dialect.ts";

/** A request without what is the same for all of a connection. */
export type WireCall = Omit<TransportRequest, "stallMs" | "answerMs">;

/**
 * Sends with the token, and once more with another one when the first is refused.
 *
 * @param send carries a request and reads its answer, or throws what the refusal means
 */
export async function withToken<T>(
  { connection, tokens }: Pick<DialectParts, "connection" | "tokens">,
  { scheme, ...call }: WireCall & { readonly scheme: "OAuth" | "Bearer" },
  send: (request: TransportRequest) => Promise<T>,
): Promise<T> {
  const { stallMs, answerMs } = connection;
  const sendWith = (token: string | undefined) => {
    const authorization = token === undefined ? {} : { authorization: `${scheme} ${token}` };
    return send({ ...call, headers: { ...authorization, ...call.headers }, stallMs, answerMs });
  };
  const token = await tokens.current(call.signal);
  try {
    return await sendWith(token);
  } catch (error) {
    if (!isUnauthorised(error)) throw error;
    const renewed = await tokens.renew(token, call.signal);
    if (renewed === undefined) throw error;
    // Such a refusal comes before anything is stored; should it not, the offset of the second try is
    // refused and asked for as usual.
    return await sendWith(renewed);
  }
}

/** Graph says that a token has expired with its code 190, and not always with a 401. */
function isUnauthorised(error: unknown): boolean {
  const { status, graphCode } = asUploadError(error).facts;
  return status === 401 || graphCode === 190;
}
