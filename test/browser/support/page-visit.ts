import { connectGraph } from "hawser-client";
import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";

import { adminTokenOf } from "../../fault/hostile-setting.ts";
import type { ServerProcess } from "../../support/server-process.ts";

export interface PageVisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** Somebody with the server's page in front of them. */
export class PageVisit {
  readonly page: Page;
  /** What the browser complained of: refused styles, thrown errors. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #network: CDPSession;

  private constructor(context: BrowserContext, page: Page, network: CDPSession) {
    this.#context = context;
    this.page = page;
    this.#network = network;
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
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    await network.send("Network.enable");
    const visit = new PageVisit(context, page, network);
    await page.goto(url);
    return visit;
  }

  async signIn(token: string, { remember = false } = {}): Promise<void> {
    await this.page.getByLabel("Access token").fill(token);
    if (remember) await this.page.getByLabel("Stay signed in").check();
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  /** As the dialogue for picking files would. */
  async pick(paths: readonly string[]): Promise<void> {
    await this.page.setInputFiles("#files", [...paths]);
  }

  /** The list's entry of a file. */
  row(name: string) {
    return this.page.getByRole("listitem").filter({ hasText: name });
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
    await this.#context.close();
  }
}

/** A token that may do all there is. */
export async function tokenForAll(server: ServerProcess): Promise<string> {
  const scopes = ["create", "append", "read", "publish", "delete", "admin"];
  const response = await fetch(`${server.url}/admin/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${await adminTokenOf(server)}` },
    body: JSON.stringify({ appId: server.appId, scopes }),
  });
  const answer: unknown = await response.json();
  if (typeof answer === "object" && answer !== null && "token" in answer)
    return String(answer.token);
  throw new Error(`no token: ${JSON.stringify(answer)}`);
}

/** The server's routes, with the token that its first start made. */
export function graphOf({ url, appId, token }: ServerProcess) {
  return connectGraph({ url, appId, token });
}
