import { Upload, type UploadOptions } from "tus-js-client";

interface Server {
  readonly url: string;
  readonly token: string;
}

/**
 * Sends a file, and goes on where an earlier visit of the page left it.
 *
 * @returns the upload's URL
 */
export async function sendFile(
  file: File,
  server: Server,
  options: UploadOptions = {},
): Promise<string> {
  const { upload, finished } = prepare(file, server, {
    metadata: { filename: file.name, filetype: file.type },
    // Else the same file, picked again, is taken for sent: its old upload is still there.
    removeFingerprintOnSuccess: true,
    ...options,
  });
  const [earlier] = await upload.findPreviousUploads();
  if (earlier !== undefined) upload.resumeFromPreviousUpload(earlier);
  upload.start();
  return finished;
}

/** Sends what comes while it comes, without knowing how much that will be. */
export function sendStream(
  stream: ReadableStream<Uint8Array>,
  server: Server,
  options: UploadOptions = {},
): Promise<string> {
  const { upload, finished } = prepare(stream.getReader(), server, {
    uploadLengthDeferred: true,
    // So much is kept in memory, to be sent again after a cut.
    chunkSize: 8 * 1024 * 1024,
    ...options,
  });
  upload.start();
  return finished;
}

function prepare(input: Upload["file"], server: Server, options: UploadOptions) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const upload = new Upload(input, {
    ...options,
    endpoint: `${server.url}/uploads`,
    headers: { Authorization: `Bearer ${server.token}` },
    onError: reject,
    onSuccess: () => {
      resolve(upload.url ?? "");
    },
  });
  return { upload, finished: promise };
}
