// A page that does nothing but upload, to a tus server.
export { upload } from "hawser-client/browser";
export { tus } from "hawser-client/tus";
