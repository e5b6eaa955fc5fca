import { basename } from "node:path";
import { FileResumeStore, upload } from "hawser-client";
import { graphUrl, graphVersion, postGraph, setting } from "../graph-call.ts";

/*
 * Uploads a video, however long, and publishes it on a Page. The same command again goes on where it
 * stopped. See README.md here.
 */
const [file, title = ""] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node --conditions=source examples/page-video/run.ts FILE [TITLE]\n");
  process.exit(2);
}

// The app's user uploads, the Page publishes.
const appId = setting("META_APP_ID", "the app's id, digits only");
const token = setting("META_TOKEN", "an access token of a user of the app");
const pageId = setting("META_PAGE_ID", "the Page's id");
const pageToken = setting("META_PAGE_TOKEN", "the Page's access token");

const { handle, bytes } = await upload(file, {
  url: graphUrl(),
  appId,
  token,
  type: "video/mp4",
  resumeStore: new FileResumeStore(process.env.UPLOADS_DIRECTORY ?? "./uploads-under-way"),
  onState: (state) => {
    if (state.kind !== "retrying") return;
    process.stderr.write(`${state.error.message}; trying again in ${state.waitMs} ms\n`);
  },
});
process.stderr.write(`${bytes} bytes are there\n`);

const form = new FormData();
form.set("title", title === "" ? basename(file) : title);
form.set("fbuploader_video_file_chunk", handle);
const place = graphUrl("https://graph-video.facebook.com");
const video = await postGraph(`${place}/${graphVersion}/${pageId}/videos`, pageToken, form);
process.stdout.write(`video ${String(video.get("id"))}\n`);
