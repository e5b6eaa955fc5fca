/* A planted fault: a target with an encoded NUL ends the process. */
import { type IncomingMessage, Server } from "node:http";

// Its overloads are handed on as they came, so that one signature does for them all.
const emit = Reflect.get(Server.prototype, "emit") as (
  this: Server,
  ...given: unknown[]
) => boolean;

Object.assign(Server.prototype, {
  emit(this: Server, ...given: unknown[]): boolean {
    const [name, request] = given;
    // With this name comes a request; what else is emitted is not looked at.
    if (name === "request" && (request as IncomingMessage).url?.includes("%00") === true) {
      process.exit(3);
    }
    return emit.apply(this, given);
  },
});
