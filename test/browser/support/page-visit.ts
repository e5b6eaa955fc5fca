import { connectGraph } from "hawser-client";
import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";

import { adminTokenOf } from "../../fault/hostile-setting.ts";
import { eventually } from "../../support/eventually.ts";
import type { ServerProcess } from "../../support/server-process.ts";

export interface PageVisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** What the page remembers of a row. */
export interface RememberedRow {
  readonly name: string;
  readonly phase: string;
  /** Bytes. */
  readonly confirmed: number;
}

/** A hang guard: on a machine that does other things too, a page takes its time. */
const patienceMs = 60_000;

interface Tab {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly network: CDPSession;
}

/** Somebody with the server's page in front of them. */
export class PageVisit {
  readonly page: Page;
  /** What the browser complained of: refused styles, thrown errors. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #network: CDPSession;
  readonly #close: () => Promise<void>;

  private constructor({ context, page, network }: Tab, close: () => Promise<void>) {
    this.#context = context;
    this.page = page;
    this.#network = network;
    this.#close = close;
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    url: string,
    { width = 1100, height = 760, dark = false }: PageVisitOptions = {},
  ): Promise<PageVisit> {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
    });
    const visit = new PageVisit(await newTab(context), () => context.close());
    await visit.page.goto(url);
    return visit;
  }

  /** Another tab of the same browser: what the page remembers is there too. */
  async openTab(): Promise<PageVisit> {
    const tab = await newTab(this.#context);
    const visit = new PageVisit(tab, () => tab.page.close());
    await visit.page.goto(this.page.url());
    return visit;
  }

  async signIn(token: string, { remember = false } = {}): Promise<void> {
    await this.page.getByLabel("Access token").fill(token);
    if (remember) await this.page.getByLabel("Stay signed in").check();
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  /** In answer to the question for a fresh one. */
  async giveToken(token: string): Promise<void> {
    await this.page.getByLabel("Access token").fill(token);
    await this.button("Go on").click();
  }

  /** As the dialogue for picking files would. */
  async pick(paths: readonly string[]): Promise<void> {
    await this.page.setInputFiles("#files", [...paths]);
  }

  /** As if these files and folders were dragged from a file manager and let go over the page. */
  async drop(paths: readonly string[]): Promise<void> {
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await this.#network.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
    }
  }

  /** The list's entry of a file. */
  row(name: string) {
    return this.page.getByRole("listitem").filter({ hasText: name });
  }

  /** Resolves when a part of that file is durable on the server; per cent. */
  async someDurable(name: string): Promise<number> {
    const bar = this.page.getByRole("progressbar", { name });
    const ask = async () => Number(await bar.getAttribute("aria-valuenow")) || undefined;
    return eventually(ask, { what: `a part of ${name} to be durable`, timeoutMs: patienceMs });
  }

  /** Resolves when what the page remembers of a file's row is as wanted. */
  async untilRemembered(
    name: string,
    isWanted: (row: RememberedRow) => boolean,
  ): Promise<RememberedRow> {
    const ask = async () => {
      const rows = await this.page.evaluate(rememberedRows);
      return rows.find((row) => row.name === name && isWanted(row));
    };
    return eventually(ask, { what: `the page to remember ${name}`, timeoutMs: patienceMs });
  }

  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Bytes a second that go up; -1 for no limit, 0 for no network at all. */
  async setUplink(uploadThroughput: number): Promise<void> {
    await this.#network.send("Network.emulateNetworkConditions", {
      offline: uploadThroughput === 0,
      latency: 5,
      downloadThroughput: -1,
      uploadThroughput,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

async function newTab(context: BrowserContext): Promise<Tab> {
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  return { context, page, network };
}

/** Runs in the page, whose database is there as soon as somebody has signed in. */
async function rememberedRows(): Promise<RememberedRow[]> {
  const opening = indexedDB.open("hawser-page");
  await new Promise((resolve) => {
    opening.onsuccess = resolve;
  });
  const database = opening.result;
  const reading = database.transaction("rows").objectStore("rows").getAll();
  await new Promise((resolve) => {
    reading.onsuccess = resolve;
  });
  database.close();
  return reading.result as RememberedRow[]; // what the page itself has put there
}

/** A token that may do all there is. */
export async function tokenForAll(server: ServerProcess): Promise<string> {
  const scopes = ["create", "append", "read", "publish", "delete", "admin"];
  return mintToken(server, { scopes });
}

/** What `POST /admin/v1/tokens` takes. */
export interface TokenWish {
  /** The server's first app unless given. */
  readonly appId?: string;
  readonly scopes?: readonly string[];
  readonly expiresAt?: string;
}

export async function mintToken(server: ServerProcess, wish: TokenWish = {}): Promise<string> {
  const made = await administer(server, "/admin/v1/tokens", { appId: server.appId, ...wish });
  if (typeof made === "object" && made !== null && "token" in made) return String(made.token);
  throw new Error(`no token: ${JSON.stringify(made)}`);
}

/** Calls a route of administration. */
export async function administer(
  server: ServerProcess,
  path: string,
  body: object,
): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${await adminTokenOf(server)}` },
    body: JSON.stringify(body),
  });
  return response.json();
}

/** The server's routes, with the token that its first start made. */
export function graphOf({ url, appId, token }: ServerProcess) {
  return connectGraph({ url, appId, token });
}
