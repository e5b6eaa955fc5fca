import type { Browser } from "playwright-core";
import { beforeAll, beforeEach } from "vitest";

import { chromiumMissing, launchChromium } from "./chromium.ts";

/**
 * One browser for the tests of a file, with whatever else `open` starts for all of them; tests are
 * skipped where there is no browser.
 */
export function shareBrowser(
  open: (browser: Browser, parts: AsyncDisposableStack) => Promise<void>,
): void {
  beforeAll(async () => {
    if (chromiumMissing !== undefined) return;
    const parts = new AsyncDisposableStack();
    const browser = await launchChromium();
    parts.defer(() => browser.close());
    await open(browser, parts);
    return () => parts.disposeAsync();
  }, 60_000);

  beforeEach(({ skip }) => {
    if (chromiumMissing !== undefined) skip(chromiumMissing);
  });
}
