/* A planted fault: the server keeps a little of every request for ever. */
import { Server } from "node:http";

// Its overloads are handed on as they came, so that one signature does for them all.
const emit = Reflect.get(Server.prototype, "emit") as (
  this: Server,
  ...given: unknown[]
) => boolean;
const kept: Buffer[] = [];

Object.assign(Server.prototype, {
  emit(this: Server, ...given: unknown[]): boolean {
    if (given[0] === "request") kept.push(Buffer.alloc(8 * 1024, 1));
    return emit.apply(this, given);
  },
});
