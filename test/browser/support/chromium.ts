import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const program = "/usr/bin/chromium";

/** Why no browser can be started here; undefined when one can. */
export const chromiumMissing = existsSync(program) ? undefined : `${program} is not installed`;

/** Debian's Chromium without a window. */
export async function launchChromium(): Promise<Browser> {
  // Its sandbox wants rights that a container does not give; only pages of this repository run.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  return chromium.launch({ executablePath: program, args });
}
