import { createHash } from "node:crypto";

type Handler<Args, Result> = (args: Args) => Promise<Result>;

/** For a command's middleware at the step "build": headers set before the request is signed. */
export function settingHeaders(headers: Readonly<Record<string, string>>) {
  return <Args extends { readonly request: unknown }, Result>(
      next: Handler<Args, Result>,
    ): Handler<Args, Result> =>
    (args) => {
      if (hasHeaders(args.request)) Object.assign(args.request.headers, headers);
      return next(args);
    };
}

/**
 * For the same step: the MD5 of a short body, without which some stores refuse a request that
 * removes many keys.
 */
export function addingContentMd5() {
  return <Args extends { readonly request: unknown }, Result>(
      next: Handler<Args, Result>,
    ): Handler<Args, Result> =>
    (args) => {
      const { request } = args;
      if (hasHeaders(request) && "body" in request) {
        const { body } = request;
        if (typeof body === "string" || body instanceof Uint8Array) {
          request.headers["content-md5"] = createHash("md5").update(body).digest("base64");
        }
      }
      return next(args);
    };
}

export const beforeSigning = { step: "build", name: "hawserHeaders" } as const;

function hasHeaders(request: unknown): request is { readonly headers: Record<string, string> } {
  return typeof request === "object" && request !== null && "headers" in request;
}
