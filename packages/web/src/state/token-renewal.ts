import type { TokenSource } from "hawser-client";
import { UploadError } from "hawser-client";
import { effect, signal } from "@preact/signals";
import type { Trouble } from "../words/trouble.ts";
import type { Call } from "./server-api.ts";
import { callServer, ServerRefusal } from "./server-api.ts";
import { changeToken, session } from "./session.ts";

/** Set while something waits for a fresh token. */
export const renewal = signal<PromiseWithResolvers<undefined> | undefined>(undefined);

// Nobody who signed out is asked any more.
effect(() => {
  if (session.value === undefined) declineRenewal();
});

/** The token of whoever is signed in; asked again, which means that it was refused, a fresh one. */
export function tokenSource(): TokenSource {
  let given: string | undefined;
  return async (signal) => {
    const present = presentToken();
    given = present === given ? await freshToken(present, signal) : present;
    return given;
  };
}

/** As `callServer`, and once more with a fresh token where the first is refused. */
export async function callAsMyself(path: string, call: Omit<Call, "token">): Promise<Response> {
  const token = presentToken();
  try {
    return await callServer(path, { ...call, token });
  } catch (error) {
    if (!(error instanceof ServerRefusal) || error.status !== 401) throw error;
    const fresh = await freshToken(token, call.signal).catch(() => {
      throw error;
    });
    return callServer(path, { ...call, token: fresh });
  }
}

/** Goes on with this token if it is good. Answers what is wrong with it, if anything is. */
export async function renewToken(token: string): Promise<Trouble | undefined> {
  const trouble = await changeToken(token);
  if (trouble === undefined) {
    renewal.peek()?.resolve(undefined);
    renewal.value = undefined;
  }
  return trouble;
}

/** What waits for a token fails as it was refused. */
export function declineRenewal(): void {
  renewal.peek()?.reject(new UploadError("not-authorised", "no fresh token was given"));
  renewal.value = undefined;
}

function presentToken(): string {
  const token = session.peek()?.token;
  if (token === undefined) throw new UploadError("aborted", "signed out");
  return token;
}

/** Asks the person, once for all that wait. */
async function freshToken(refused: string, signal?: AbortSignal): Promise<string> {
  // Another may have asked for it meanwhile.
  if (presentToken() === refused) {
    renewal.value ??= Promise.withResolvers<undefined>();
    await orAborted(renewal.value.promise, signal);
  }
  return presentToken();
}

async function orAborted(pending: Promise<undefined>, signal?: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => {
    aborted.reject(new UploadError("aborted", "stopped"));
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([pending, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
