import type { NodeInput } from "./platform/node.ts";
import { nodePlatform } from "./platform/node.ts";
import type { Platform } from "./platform/platform.ts";
import type { QueueOptions, StandardQueueOptions } from "./task-queue.ts";
import { TaskQueue } from "./task-queue.ts";

/**
 * Uploads many files, a few at a time: see {@link TaskQueue}.
 *
 * @example
 * const queue = new UploadQueue({ parallel: 3, appId: "1234", token });
 * queue.addAll(["one.pdf", "two.pdf"]);
 * const { counts } = await queue.settled();
 */
export class UploadQueue extends TaskQueue<NodeInput> {
  /** @throws UploadError `invalid-option` */
  constructor(
    options: QueueOptions | StandardQueueOptions,
    platform: Platform<NodeInput> = nodePlatform,
  ) {
    super(options, platform);
  }
}
