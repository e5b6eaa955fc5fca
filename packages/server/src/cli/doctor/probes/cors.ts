import type { Deployment } from "../deployment.ts";
import { finding, ok, type Probe } from "../probe.ts";

const headers = ["authorization", "file_offset", "content-type"];

/** Whether a page of another origin may upload: the browser asks first (Fetch, CORS preflight). */
export const cors: Probe = {
  name: "cors",
  title: "pages of other origins may upload",
  look: async (deployment) => {
    const { origin } = deployment.options;
    const id = await deployment.anUpload();
    const routes = [`${deployment.options.appId}/uploads`, id];
    const wrong: string[] = [];
    for (const route of routes) {
      wrong.push(...(await preflightFaults(deployment, deployment.path(route))));
    }
    const answer = await deployment.ask({
      method: "GET",
      path: deployment.path(id),
      headers: { Origin: origin },
    });
    if (!allows(answer.headers.get("access-control-allow-origin"), origin)) {
      wrong.push("an answer has no Access-Control-Allow-Origin for it");
    }
    if (wrong.length === 0) return ok(`${origin} may`);
    return finding("cors-missing", `${origin} may not: ${[...new Set(wrong)].join("; ")}`);
  },
};

async function preflightFaults(deployment: Deployment, path: string): Promise<string[]> {
  const { origin } = deployment.options;
  const line = await deployment.open();
  try {
    // As browsers ask: without a token.
    await line.sendHead({
      method: "OPTIONS",
      path,
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": headers.join(","),
      },
    });
    const reply = await line.reply(preflightMsMax);
    if (reply.kind !== "answer") return [`the preflight was ${reply.kind}`];
    const { answer } = reply;
    if (answer.status >= 300) return [`the preflight was answered ${answer.status}`];
    if (!allows(answer.headers.get("access-control-allow-origin"), origin)) {
      return ["the preflight has no Access-Control-Allow-Origin for it"];
    }
    const allowed = listed(answer.headers.get("access-control-allow-headers"));
    // A star covers every header but Authorization.
    const missing = headers.filter(
      (name) => !allowed.includes(name) && (name === "authorization" || !allowed.includes("*")),
    );
    return missing.length === 0 ? [] : [`the preflight does not allow ${missing.join(", ")}`];
  } finally {
    line.close();
  }
}

const preflightMsMax = 10_000;

function allows(value: string | undefined, origin: string): boolean {
  return value === "*" || value === origin;
}

function listed(value = ""): string[] {
  return value.split(",").map((name) => name.trim().toLowerCase());
}
