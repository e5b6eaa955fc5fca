// A page that does nothing but upload, to a server of the IETF's protocol.
export { upload } from "hawser-client/browser";
export { ietf } from "hawser-client/ietf";
