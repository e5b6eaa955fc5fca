// A page that does nothing but upload: what it has to load is what the size check looks at.
export { upload } from "hawser-client/browser";
