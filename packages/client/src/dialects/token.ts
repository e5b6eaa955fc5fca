import { abortable } from "../abortable.ts";

/**
 * A token, or what gives one: called at first need and anew when the server refuses the token (401,
 * or OAuth error 190). Files of a queue share what it answers, until the queue is empty.
 */
export type TokenSource = string | ((signal: AbortSignal) => string | Promise<string>);

/** Holds the current token and gets a new one when it has been refused. */
export class TokenHolder {
  readonly #source: TokenSource | undefined;
  #current: Promise<string | undefined> | undefined;

  /** @param source undefined where no token is wanted */
  constructor(source: TokenSource | undefined) {
    this.#source = source;
  }

  current(signal: AbortSignal): Promise<string | undefined> {
    return abortable(this.#current ?? this.#another(signal), signal);
  }

  /** Another token in place of the refused one; undefined when there is no other. */
  async renew(refused: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (typeof this.#source !== "function") return undefined;
    // Several requests may have been refused together: the first one renews for all.
    if ((await this.current(signal)) === refused) void this.#another(signal);
    const token = await this.current(signal);
    return token === refused ? undefined : token;
  }

  /** One that could not be had is asked for again the next time. */
  #another(signal: AbortSignal): Promise<string | undefined> {
    const asked = this.#ask(signal);
    this.#current = asked;
    asked.catch(() => {
      if (this.#current === asked) this.#current = undefined;
    });
    return asked;
  }

  async #ask(signal: AbortSignal): Promise<string | undefined> {
    return typeof this.#source === "function" ? await this.#source(signal) : this.#source;
  }
}
