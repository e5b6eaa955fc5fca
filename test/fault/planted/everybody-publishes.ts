/* A planted fault: no route asks for the scope to publish, as every token has it. */
import { Tokens } from "../../../packages/server/src/access/tokens.ts";

const authenticate = Reflect.get(Tokens.prototype, "authenticate");

Tokens.prototype.authenticate = async function (this: Tokens, token: string) {
  const principal = await authenticate.call(this, token);
  return { ...principal, scopes: new Set([...principal.scopes, "publish"] as const) };
};
