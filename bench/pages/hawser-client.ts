export { upload } from "hawser-client/browser";
export { IndexedDbResumeStore } from "hawser-client/indexed-db";
