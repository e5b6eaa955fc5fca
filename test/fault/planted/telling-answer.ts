/*
 * A planted fault: every refusal says in a header where in the server it was made. A harness that
 * does not notice is no harness.
 */
import { ServerResponse } from "node:http";

// Its overloads are handed on as they came, so that one signature does for them all.
const writeHead = Reflect.get(ServerResponse.prototype, "writeHead") as (
  this: ServerResponse,
  ...given: unknown[]
) => ServerResponse;

Object.assign(ServerResponse.prototype, {
  writeHead(this: ServerResponse, ...given: unknown[]): ServerResponse {
    const caller = new Error("here").stack?.split("\n")[2]?.trim() ?? "";
    if (Number(given[0]) >= 400) this.setHeader("X-From", caller);
    return writeHead.apply(this, given);
  },
});
