import { computed, signal } from "@preact/signals";
import type { Trouble } from "../words/trouble.ts";
import { asSentence } from "../words/trouble.ts";
import { recallText, rememberText } from "./browser-memory.ts";
import { callServer, ServerRefusal } from "./server-api.ts";

/** What the server says of a token (`GET /api/v1/me`). */
interface Me {
  readonly app: { readonly id: string; readonly name: string };
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly limits: { readonly lengthMax: number; readonly types: readonly string[] };
  readonly graphVersion: string;
  readonly previewTypes: readonly string[];
}

export interface Session {
  readonly token: string;
  readonly me: Me;
}

const key = "hawser.token";

export const session = signal<Session | undefined>(undefined);
export const signingIn = signal(false);
export const signInTrouble = signal<Trouble | undefined>(undefined);
export const isOperator = computed(() => session.value?.me.scopes.includes("admin") === true);
export const canUpload = computed(() => session.value?.me.scopes.includes("create") === true);

/** Asks the server who this is. `remember` keeps the token in this browser until signing out. */
export async function signIn(token: string, remember: boolean): Promise<void> {
  signingIn.value = true;
  signInTrouble.value = undefined;
  try {
    const me = await whoHas(token);
    if (remember) rememberText(key, token);
    session.value = { token, me };
  } catch (error) {
    signInTrouble.value = explain(error);
    if (error instanceof ServerRefusal && error.status === 401) rememberText(key, undefined);
  } finally {
    signingIn.value = false;
  }
}

/** Goes on as the same app with another token. Answers what is wrong with it, if anything is. */
export async function changeToken(token: string): Promise<Trouble | undefined> {
  const before = session.peek();
  if (before === undefined) return undefined;
  try {
    const me = await whoHas(token);
    // Whoever signed out meanwhile stays signed out.
    if (session.peek() !== before) return undefined;
    if (me.app.id !== before.me.app.id) return ofAnotherApp(before.me.app.name);
    if (recallText(key) !== undefined) rememberText(key, token);
    session.value = { token, me };
    return undefined;
  } catch (error) {
    return explain(error);
  }
}

async function whoHas(token: string): Promise<Me> {
  const response = await callServer("/api/v1/me", { token });
  // The page and its server come as one, so the answer is what the server's contract says.
  return (await response.json()) as Me;
}

function ofAnotherApp(name: string): Trouble {
  return {
    happened: "This token is another app's.",
    next: `Your uploads are ${name}'s: ask for a token of that app, or sign out first.`,
  };
}

export async function signInAsRemembered(): Promise<void> {
  const token = recallText(key);
  if (token !== undefined) await signIn(token, true);
}

export function signOut(): void {
  rememberText(key, undefined);
  session.value = undefined;
}

function explain(error: unknown): Trouble {
  if (!(error instanceof ServerRefusal)) {
    return {
      happened: "The answer could not be read.",
      next: "Check that this address leads to a Hawser server, then try again.",
    };
  }
  if (error.code === "unreachable") {
    return {
      happened: "The server cannot be reached.",
      next: "Check your connection and try again.",
    };
  }
  if (error.code === "token_expired") {
    return { happened: asSentence(error.message), next: "Ask for a new one and sign in with it." };
  }
  if (error.status === 401) {
    return {
      happened: "The server does not know this token.",
      next: "Check that it was copied whole, without spaces, and that it was not revoked.",
    };
  }
  return { happened: asSentence(error.message), next: "Try again in a moment." };
}
