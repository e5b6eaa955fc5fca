import Uppy from "@uppy/core";
import Dashboard from "@uppy/dashboard";
import Tus from "@uppy/tus";

/** Shows Uppy's Dashboard in an element of the page; what is added there goes up by tus. */
export function showDashboard(target: string, server: { url: string; token: string }) {
  return new Uppy().use(Dashboard, { target, inline: true }).use(Tus, {
    endpoint: `${server.url}/uploads`,
    headers: { Authorization: `Bearer ${server.token}` },
    // Else the same file, added again, is taken for sent: its old upload is still there.
    removeFingerprintOnSuccess: true,
  });
}
