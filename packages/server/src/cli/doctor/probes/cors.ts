import type { Answer } from "../answer.ts";
import type { Deployment } from "../deployment.ts";
import { finding, ok, type Probe } from "../probe.ts";

/** What a page sends. */
interface Call {
  readonly path: string;
  readonly method: "POST" | "PATCH";
  readonly headers: readonly string[];
}

const graphHeaders = ["authorization", "file_offset", "content-type"];
/** Those of tus and of the IETF's protocol. */
const standardHeaders = [
  ...["authorization", "content-type", "tus-resumable", "upload-length", "upload-metadata"],
  ...["upload-offset", "upload-concat", "upload-checksum", "upload-complete"],
  "upload-draft-interop-version",
];
const standardExposed = ["location", "upload-offset", "upload-length", "upload-complete"];
/** Needs no leave (Fetch, "CORS-safelisted method"). */
const safeMethod = "POST";

/** Whether a page of another origin may upload: the browser asks first (Fetch, CORS preflight). */
export const cors: Probe = {
  name: "cors",
  title: "pages of other origins may upload",
  look: async (deployment) => {
    const { origin } = deployment.options;
    const inStandard = await standardFaults(deployment);
    const wrong = [...(await graphFaults(deployment)), ...(inStandard ?? [])];
    if (wrong.length > 0) {
      return finding("cors-missing", `${origin} may not: ${[...new Set(wrong)].join("; ")}`);
    }
    return ok(`${origin} may${inStandard === undefined ? " (not at /uploads)" : ""}`);
  },
};

async function graphFaults(deployment: Deployment): Promise<string[]> {
  const id = await deployment.anUpload();
  const wrong: string[] = [];
  for (const route of [`${deployment.options.appId}/uploads`, id]) {
    const path = deployment.path(route);
    wrong.push(
      ...(await preflightFaults(deployment, { path, method: "POST", headers: graphHeaders })),
    );
  }
  return [
    ...wrong,
    ...originFaults(deployment, await askFromPage(deployment, deployment.path(id))),
  ];
}

/** Undefined where /uploads is not the server's. */
async function standardFaults(deployment: Deployment): Promise<string[] | undefined> {
  // No such upload: a refusal must be readable, too.
  const answer = await askFromPage(deployment, deployment.standardPath("/0"));
  if (answer.headers.get("content-type") !== "application/problem+json") return undefined;
  const path = deployment.standardPath();
  const call: Call = { path, method: "PATCH", headers: standardHeaders };
  const exposed = listed(answer.headers.get("access-control-expose-headers"));
  const hidden = standardExposed.filter((name) => !exposed.includes(name));
  return [
    ...(await preflightFaults(deployment, call)),
    ...originFaults(deployment, answer),
    ...(hidden.length === 0 || exposed.includes("*")
      ? []
      : [`an answer does not expose ${hidden.join(", ")}`]),
  ];
}

function askFromPage(deployment: Deployment, path: string): Promise<Answer> {
  return deployment.ask({ method: "GET", path, headers: { Origin: deployment.options.origin } });
}

function originFaults({ options }: Deployment, { headers }: Answer): string[] {
  if (allows(headers.get("access-control-allow-origin"), options.origin)) return [];
  return ["an answer has no Access-Control-Allow-Origin for it"];
}

async function preflightFaults(deployment: Deployment, call: Call): Promise<string[]> {
  const { origin } = deployment.options;
  const line = await deployment.open();
  try {
    // As browsers ask: without a token.
    await line.sendHead({
      method: "OPTIONS",
      path: call.path,
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": call.method,
        "Access-Control-Request-Headers": call.headers.join(","),
      },
    });
    const reply = await line.reply(preflightMsMax);
    if (reply.kind !== "answer") return [`the preflight was ${reply.kind}`];
    const { answer } = reply;
    if (answer.status >= 300) return [`the preflight was answered ${answer.status}`];
    if (!allows(answer.headers.get("access-control-allow-origin"), origin)) {
      return ["the preflight has no Access-Control-Allow-Origin for it"];
    }
    const missing = notAllowed(answer, call);
    return missing.length === 0 ? [] : [`the preflight does not allow ${missing.join(", ")}`];
  } finally {
    line.close();
  }
}

const preflightMsMax = 10_000;

function notAllowed({ headers }: Answer, call: Call): string[] {
  const allowed = listed(headers.get("access-control-allow-headers"));
  const methods = listed(headers.get("access-control-allow-methods"));
  const method = call.method.toLowerCase();
  const mayMethod = call.method === safeMethod || methods.includes(method) || methods.includes("*");
  // A star covers every header but Authorization.
  const missing = call.headers.filter(
    (name) => !allowed.includes(name) && (name === "authorization" || !allowed.includes("*")),
  );
  return [...(mayMethod ? [] : [call.method]), ...missing];
}

function allows(value: string | undefined, origin: string): boolean {
  return value === "*" || value === origin;
}

function listed(value = ""): string[] {
  return value.split(",").map((name) => name.trim().toLowerCase());
}
