import { upload } from "hawser-client";
import { graphUrl, graphVersion, postGraph, setting } from "../graph-call.ts";

/*
 * Uploads a picture, a video or a PDF, and creates a WhatsApp message template whose header shows
 * it. See README.md here.
 */
const [file, name] = process.argv.slice(2);
if (file === undefined || name === undefined) {
  process.stderr.write(
    "usage: node --conditions=source examples/whatsapp-template-header/run.ts FILE TEMPLATE_NAME\n",
  );
  process.exit(2);
}

const token = setting("META_TOKEN", "a token with whatsapp_business_management");
// The upload belongs to the app, the template to the business account: the two are often mixed up.
const appId = setting("META_APP_ID", "the app's id, digits only");
const accountId = setting("META_WABA_ID", "the WhatsApp business account's id");

const formats: Readonly<Record<string, string>> = {
  jpg: "IMAGE",
  jpeg: "IMAGE",
  png: "IMAGE",
  mp4: "VIDEO",
  pdf: "DOCUMENT",
};
const format = formats[file.split(".").at(-1)?.toLowerCase() ?? ""];
if (format === undefined) {
  process.stderr.write(`A header is one of: ${Object.keys(formats).join(", ")}.\n`);
  process.exit(2);
}

const { handle } = await upload(file, {
  url: graphUrl(),
  appId,
  token,
  onWarning: ({ message }) => process.stderr.write(`note: ${message}\n`),
});

const template = await postGraph(
  `${graphUrl()}/${graphVersion}/${accountId}/message_templates`,
  token,
  {
    name,
    language: "en_US",
    category: "MARKETING",
    components: [
      // The handle with all its lines; a media id of the messages API is refused here.
      { type: "HEADER", format, example: { header_handle: [handle] } },
      { type: "BODY", text: "Our new catalogue is here." },
    ],
  },
);
process.stdout.write(`template ${String(template.get("id"))}: ${String(template.get("status"))}\n`);
