/*
 * Loaded before a server whose memory is watched: collects all garbage now and then. Left to
 * itself V8 does so every fifty thousand requests or more, and where in that cycle a run happens
 * to end would say more than what the server keeps.
 */
import { collectGarbage } from "../support/collect-garbage.ts";

setInterval(collectGarbage, 500).unref();
