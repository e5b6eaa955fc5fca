import { TLSSocket } from "node:tls";
import { openSocket } from "../line.ts";
import { couldNotLook, finding, ok, type Probe } from "../probe.ts";

const dayMs = 24 * 60 * 60 * 1000;
/** Renewals are due before this; of a short-lived certificate only its last fifth counts. */
const daysLeftMin = 14;
const lastShare = 0.2;

/** Whether the certificate is good, and for how long. */
export const certificate: Probe = {
  name: "tls",
  title: "the certificate is valid",
  look: async ({ options }) => {
    const { url } = options;
    if (url.protocol !== "https:") {
      if (isLoopback(url.hostname)) return couldNotLook("plain HTTP on this machine");
      return finding("not-encrypted", "plain HTTP: tokens and bytes can be read on the way");
    }
    const socket = await openSocket(options);
    try {
      if (!(socket instanceof TLSSocket)) return couldNotLook("this is no TLS connection");
      const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
      const lifetimeDays = (Date.parse(to) - Date.parse(from)) / dayMs;
      const daysLeft = (Date.parse(to) - Date.now()) / dayMs;
      const facts = `${socket.getProtocol() ?? "TLS"}, ${Math.floor(daysLeft)} days left (${to})`;
      if (!socket.authorized) {
        return finding(
          "certificate",
          `not trusted: ${String(socket.authorizationError)}; ${facts}`,
        );
      }
      const isEnding = daysLeft < Math.min(daysLeftMin, lifetimeDays * lastShare);
      return isEnding ? finding("certificate", `it ends soon: ${facts}`) : ok(facts);
    } finally {
      socket.destroy();
    }
  },
};

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
