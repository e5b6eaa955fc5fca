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
    this.#current ??= this.#fetch(signal);
    return abortable(this.#current, signal);
  }

  /** Another token in place of the refused one; undefined when there is no other. */
  async renew(refused: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (typeof this.#source !== "function") return undefined;
    // Several requests may have been refused together: the first one renews for all.
    if ((await this.current(signal)) === refused) this.#current = this.#fetch(signal);
    const token = await this.current(signal);
    return token === refused ? undefined : token;
  }

  async #fetch(signal: AbortSignal): Promise<string | undefined> {
    try {
      return typeof this.#source === "function" ? await this.#source(signal) : this.#source;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }
}
