import type { BrowserInput } from "./platform/browser.ts";
import { browserPlatform } from "./platform/browser.ts";
import type { Platform } from "./platform/platform.ts";
import type { QueueOptions, StandardQueueOptions } from "./task-queue.ts";
import { TaskQueue } from "./task-queue.ts";

/**
 * Uploads many files, a few at a time: see {@link TaskQueue}.
 *
 * @example
 * const queue = new UploadQueue({ parallel: 3, url, appId: "1234", token });
 * queue.addAll(input.files);
 * const { counts } = await queue.settled();
 */
export class UploadQueue extends TaskQueue<BrowserInput> {
  /** @throws UploadError `invalid-option` */
  constructor(
    options: QueueOptions | StandardQueueOptions,
    platform: Platform<BrowserInput> = browserPlatform,
  ) {
    super(options, platform);
  }
}
