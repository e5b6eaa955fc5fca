/*
 * Loaded before a server whose memory is watched: collects all garbage now and then. Left to
 * itself V8 does so every fifty thousand requests or more, and where in that cycle a run happens
 * to end would say more than what the server keeps.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
if (typeof collect !== "function") throw new Error("garbage cannot be collected on demand");

setInterval(() => {
  Reflect.apply(collect, undefined, []);
}, 500).unref();
