import type { IncomingMessage } from "node:http";

import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

/** For bodies whose pace nobody judges: one that is not here in time ends its connection. */
export function setBodyDeadline(request: IncomingMessage, clock: Clock): void {
  const { "content-length": length = "0", "transfer-encoding": coding } = request.headers;
  if (coding === undefined && Number(length) === 0) return;
  const cancel = clock.after(limits.fallbackBodyMsMax, () => {
    if (!request.complete) request.socket.destroy();
  });
  request.once("close", cancel);
}
