/** A refusal of the page's own routes, or no answer at all (`status` 0). */
export class ServerRefusal extends Error {
  override readonly name = "ServerRefusal";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Call {
  readonly token: string;
  readonly method?: "GET" | "POST";
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** Calls a route of this page's own server. @throws ServerRefusal */
export async function callServer(path: string, call: Call): Promise<Response> {
  const { token, method = "GET", body, signal } = call;
  const response = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    credentials: "omit",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new ServerRefusal(0, "unreachable", "The server cannot be reached.");
  });
  if (response.ok) return response;
  throw await readRefusal(response);
}

async function readRefusal(response: Response): Promise<ServerRefusal> {
  const text = await response.text().catch(() => "");
  const error = field(parse(text), "error");
  const code = field(error, "code");
  const message = field(error, "message");
  return new ServerRefusal(
    response.status,
    typeof code === "string" ? code : "unknown",
    typeof message === "string" ? message : `The server answered ${response.status}.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
