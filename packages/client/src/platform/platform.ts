import type { Clock, Random } from "../clock.ts";
import type { Crc32 } from "../crc32.ts";
import type { Source } from "../sources/source.ts";
import type { Transport } from "../transports/transport.ts";
import type { Connectivity } from "./connectivity.ts";

/** What the upload itself needs besides a source and a server. */
export interface Tools {
  readonly clock: Clock;
  readonly random: Random;
  readonly crc32: Crc32;
  /** What the machine knows of its network; always online unless given. */
  readonly connectivity?: Connectivity | undefined;
}

/**
 * Everything that differs between Node and a browser, and what a test replaces. `Input` is what a
 * caller may give as a source there.
 */
export interface Platform<Input> extends Tools {
  readonly transport: Transport;
  /** Opens a source; throws `source-unreadable`. */
  openSource(input: Input): Promise<Source>;
}
