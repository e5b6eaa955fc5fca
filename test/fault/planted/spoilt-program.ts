import { sourceProgram } from "../../support/server-process.ts";

/** What Node runs for a server with a fault of this folder in it. */
export function spoiltProgram(fault: string): readonly string[] {
  return ["--import", new URL(`${fault}.ts`, import.meta.url).href, ...sourceProgram];
}
