// It remembers uploads in the page's local storage by itself.
export { Upload } from "tus-js-client";
