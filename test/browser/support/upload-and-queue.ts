// The library as pages that send files use it: uploads and queues. Resume stores are optional, and
// what reads and lists files on a server is left out, as a bundler leaves it out of such a page.
export { upload, UploadError, UploadQueue } from "hawser-client/browser";
