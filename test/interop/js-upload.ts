import { Upload, type UploadOptions } from "tus-js-client";

import { within } from "../support/eventually.ts";

/** Where uploads are created, and by what right. */
export interface UploadsPlace {
  readonly url: URL;
  readonly authorization: Readonly<Record<string, string>>;
}

export type UploadSource = ConstructorParameters<typeof Upload>[0];

export interface JsUpload {
  readonly source: UploadSource;
  /** Where uploads are created, if not where the API says. */
  readonly endpoint?: string;
  readonly options?: UploadOptions;
  /** A hang guard. */
  readonly timeoutMs?: number;
}

/** What every upload of these tests is done with. */
export function optionsFor(api: UploadsPlace, { endpoint, options }: JsUpload): UploadOptions {
  return {
    endpoint: endpoint ?? api.url.href,
    headers: { ...api.authorization },
    retryDelays: [0, 10, 20, 50, 100, 200, 500, 1_000],
    ...options,
  };
}

/** Uploads by tus-js-client as people use it; answers the upload's URL as the server knows it. */
export async function sendByJsClient(api: UploadsPlace, wanted: JsUpload): Promise<URL> {
  const done = Promise.withResolvers<undefined>();
  const options = optionsFor(api, wanted);
  let startsLeft = 8;
  const upload = new Upload(wanted.source, {
    ...options,
    onError: (error) => {
      // The request that puts parts together is the one that the client does not try again.
      const isConcatenation = (options.parallelUploads ?? 1) > 1 && !("originalRequest" in error);
      if (isConcatenation && startsLeft > 0) {
        startsLeft -= 1;
        upload.start();
      } else {
        done.reject(error);
      }
    },
    onSuccess: () => {
      done.resolve(undefined);
    },
  });
  upload.start();
  const { timeoutMs = 25_000 } = wanted;
  await within(done.promise, { what: "tus-js-client to be done", timeoutMs });
  return urlOf(api, upload);
}

/** The upload's URL without what stood between the client and the server. */
export function urlOf(api: UploadsPlace, { url }: Upload): URL {
  if (url === null) throw new Error("the client knows no URL of its upload");
  return new URL(new URL(url).pathname, api.url);
}
