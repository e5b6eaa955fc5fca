import type { Server } from "node:http";

/** Runs a peer's server as a process of its own: it says where it listens, until SIGTERM. */
export function listen(server: Server): void {
  // Node's default would end long uploads; it is what everybody who takes them has to set.
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") {
      process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
    }
  });
  process.once("SIGTERM", () => process.exit(0));
}
