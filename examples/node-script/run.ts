import { FileResumeStore, upload, UploadError } from "hawser-client";
import { graphUrl, setting } from "../graph-call.ts";

/*
 * Uploads a file and prints its handle. The same command again goes on where it stopped, after
 * Ctrl-C, a crash or a reboot. See README.md here.
 */
const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node --conditions=source examples/node-script/run.ts FILE\n");
  process.exit(2);
}

const stop = new AbortController();
process.once("SIGINT", () => {
  stop.abort();
});

let told = -1;
try {
  const { handle, bytes, resumedFrom } = await upload(file, {
    url: graphUrl(),
    appId: setting("META_APP_ID", "the app's id, digits only"),
    token: setting("META_TOKEN", "an access token of a user of the app"),
    // Holds what a later run has to know; nothing secret is in it.
    resumeStore: new FileResumeStore(process.env.UPLOADS_DIRECTORY ?? "./uploads-under-way"),
    signal: stop.signal,
    onProgress: ({ confirmed, length }) => {
      const percent = Math.floor((confirmed / length) * 100);
      if (percent > told) process.stderr.write(`${percent} %\n`);
      told = Math.max(percent, told);
    },
    onWarning: ({ message }) => process.stderr.write(`note: ${message}\n`),
  });
  process.stderr.write(`${bytes} bytes, the first ${resumedFrom} of them by an earlier run\n`);
  process.stdout.write(`${handle}\n`);
} catch (error) {
  if (!(error instanceof UploadError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ""}\n`);
  process.exitCode = error.code === "aborted" ? 130 : 1;
}
