import { configOptions } from "../service/config-options.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { table } from "./output.ts";
import { putEvents } from "./put-events.ts";

export interface HelpTopic {
  /** One line for the list of topics. */
  readonly summary: string;
  readonly text: () => string;
}

/** What `hawser help TOPIC` can tell. */
export const helpTopics: Readonly<Record<string, HelpTopic>> = Object.freeze({
  uploads: {
    summary: "how an upload becomes a file",
    text: () => `
An upload is begun with a name, a length and a media type, gets its bytes in one or more requests,
and is complete when the last byte is durable. The answer then is a handle: the proof that all of it
is there. Publishing a handle makes a file, which has an id and can be fetched:

  hawser put film.mp4               prints "film.mp4  4:…", the handle
  hawser publish film.mp4           prints the file's id
  hawser get 1234567890             fetches it and checks its checksum

  hawser put film.mp4 --publish     the first two in one
  hawser put photos/ 'scans/*.pdf'  folders and patterns
  convert scan.tiff pdf:- | hawser put - --name scan.pdf --type application/pdf

An upload that is not completed expires; so does a handle that is not published.
"hawser ls" shows uploads, "hawser ls --files" files, "hawser cancel" gives an upload up.
An app decides which media types and lengths it takes ("hawser app show").
`,
  },
  resume: {
    summary: "what happens after a cut, a crash or a restart",
    text: () => `
Run the same command again. "hawser put" remembers each upload in a file of its own (HAWSER_STATE,
or the user's state directory), asks the server how far it is, compares the local file with what is
there by length, time of change and checksum, and sends only the rest. That works after Ctrl-C,
kill -9 and a reboot, and for folders as well: complete files are not sent again.

While it runs, a cut line or a server in trouble is met by waiting, asking for the offset and going
on there. --retries says how often that may fail without any progress; progress starts the count anew.
"hawser get" does the same, six times without progress, from its first question on.

A file that changed is uploaded from its beginning, and a note says so. --fresh forces that.
Standard input cannot be gone on with by another run.
"hawser status FILE --watch" shows how far an upload is, also one that another process makes.
Where uploads are cut again and again, "hawser doctor" finds what a proxy on the way breaks.
`,
  },
  meta: {
    summary: "uploading to Meta's own service",
    text: () => `
The commands speak Meta's Resumable Upload API, so put, status and their resuming work with the real
service too:

  export HAWSER_URL=https://graph.facebook.com
  export HAWSER_APP_ID=…            the app's id: digits; not a WhatsApp business or phone id
  export HAWSER_TOKEN=…             a user's or system user's access token
  hawser put header.jpg             prints the handle

Give the handle, all lines of it, to an endpoint that takes handles: a WhatsApp template's
example.header_handle, a business profile's profile_picture_handle, a page video's
fbuploader_video_file_chunk. publish, get, ls and cancel are Hawser's own and not known there.
A Hawser server has these endpoints as well, for trials without Meta.
`,
  },
  tokens: {
    summary: "who may do what, and where the commands find it",
    text: () => `
Every request speaks for an app and carries a token. The first "hawser serve" makes both and leaves
them in its data directory, where commands in the same directory find them. For everything else:

  hawser app create --name photos --types image/jpeg,image/png
  hawser token create --app ID --scopes create,append,read      shown this once
  hawser token list
  hawser token revoke ID

Scopes: create, append, read, publish, delete, admin. A command takes address, app and token from
--to, --app, --token, then from HAWSER_URL, HAWSER_APP_ID, HAWSER_TOKEN, then from the data directory.
A local server's token is used for that server only. Prefer HAWSER_TOKEN to --token: the process list
shows what stands on a command line.
`,
  },
  json: {
    summary: "output for scripts",
    text: () => `
Results go to stdout, everything else to stderr. With --json each line on stdout is one object; an
error is {"error":{"code","message","hint",…}}. "hawser put --json" prints one line an event (with
--quiet only done, failed and summary):

${eventLines()}

  hawser put film.mp4 --json | jq -r 'select(.event == "done").handle'
  hawser put photos/ --publish --quiet --json | jq -r 'select(.event == "done").fileId'
  hawser ls --files --json | jq -r .id

Lengths and offsets are bytes, durations milliseconds. More fields may come; none changes its meaning.
`,
  },
  "exit-codes": {
    summary: "how commands end",
    text: () => `
${linesOf(Object.entries(exitCodeMeanings))}

Several files that all failed alike end with that failure's code, otherwise with 1.
A command whose output cannot be written, on a full disk or because its reader has left, stops and
ends with 1, whatever it did until then. Only those that show something (ls, status, app list, help
and the like; not status --watch) end with 0 when their reader leaves, as head does.
`,
  },
  environment: {
    summary: "variables that commands and server read",
    text: () => `
Commands:
${linesOf([
  ["HAWSER_URL", "the server's address, as --to"],
  ["HAWSER_APP_ID", "the app's id, as --app"],
  ["HAWSER_TOKEN", "the access token, as --token"],
  ["HAWSER_DATA", "a local server's data directory, as --data"],
  ["HAWSER_STATE", "where unfinished uploads are remembered"],
  ["NO_COLOR", "no colours, as --no-color; there are none but on terminals"],
  ["TMPDIR", "where standard input goes while it is uploaded"],
])}

"hawser serve", each as the option of the same name:
${linesOf(Object.values(configOptions).map(({ env, description }) => [env, description]))}
`,
  },
});

/** Other words people look for. */
export const topicAliases: Readonly<Record<string, string>> = { scripting: "json" };

function linesOf(rows: readonly (readonly string[])[]): string {
  return table(rows)
    .map((line) => `  ${line}`)
    .join("\n");
}

function eventLines(): string {
  return Object.entries(putEvents)
    .flatMap(([event, [meaning, fields]]) => [
      `  ${event.padEnd(10)} ${meaning}`,
      `  ${"".padEnd(10)} ${fields.join(" ")}`,
    ])
    .join("\n");
}
