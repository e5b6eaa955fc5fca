import { createReadStream } from "node:fs";
import { Upload } from "tus-js-client";

/* One upload by tus-js-client with its defaults, as its documentation shows it: PORT PATH TOKEN FILE */
const [port = "", path = "", token = "", file = ""] = process.argv.slice(2);
await new Promise<void>((resolve, reject) => {
  const upload = new Upload(createReadStream(file), {
    endpoint: `http://127.0.0.1:${port}${path}`,
    headers: { Authorization: `Bearer ${token}` },
    metadata: { filename: "b.mp4", filetype: "video/mp4" },
    onError: reject,
    onSuccess: () => {
      resolve();
    },
  });
  upload.start();
});
