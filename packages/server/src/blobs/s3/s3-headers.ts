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

export const beforeSigning = { step: "build", name: "hawserHeaders" } as const;

function hasHeaders(request: unknown): request is { readonly headers: Record<string, string> } {
  return typeof request === "object" && request !== null && "headers" in request;
}
