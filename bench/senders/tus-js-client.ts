import { createReadStream } from "node:fs";
import { Upload } from "tus-js-client";

/* One upload by tus-js-client with its defaults, as its documentation shows it: PORT PATH FILE */
const [port = "", path = "", file = ""] = process.argv.slice(2);
await new Promise<void>((resolve, reject) => {
  const upload = new Upload(createReadStream(file), {
    endpoint: `http://127.0.0.1:${port}${path}`,
    onError: reject,
    onSuccess: () => {
      resolve();
    },
  });
  upload.start();
});
