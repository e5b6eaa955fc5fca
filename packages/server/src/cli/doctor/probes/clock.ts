import type { Deployment } from "../deployment.ts";
import { couldNotLook, finding, ok, type Probe } from "../probe.ts";

const differenceMsMax = 30_000;

/** Whether the clocks of proxy, node and this machine agree: expiry and handles go by them. */
export const clock: Probe = {
  name: "clock",
  title: "the clocks agree",
  look: async (deployment) => {
    const id = await deployment.anUpload();
    const askedAt = Date.now();
    const answer = await deployment.ask({ method: "GET", path: deployment.path(id) });
    const date = answer.headers.get("date");
    if (date === undefined) return couldNotLook("answers have no Date");
    // The Date has whole seconds: half a one is the least wrong guess at the rest.
    const dateMs = Date.parse(date) + 500 - (askedAt + Date.now()) / 2;
    if (Number.isNaN(dateMs)) return finding("clock-differs", `answers have the Date ${date}`);
    const nodeMs = await nodeDifference(deployment).catch(() => undefined);
    const told = [
      `Date of answers: ${inWords(dateMs)}`,
      ...(nodeMs === undefined ? [] : [`the node's own: ${inWords(nodeMs)}`]),
    ].join("; ");
    const isOff = [dateMs, nodeMs ?? 0].some((ms) => !(Math.abs(ms) <= differenceMsMax));
    return isOff ? finding("clock-differs", told) : ok(told);
  },
};

/** Proxies may set a Date of their own; when a file was made, the node itself says. */
async function nodeDifference(deployment: Deployment): Promise<number> {
  const { createdAt, askedAt } = await deployment.sample();
  return createdAt.getTime() - askedAt.getTime();
}

function inWords(differenceMs: number): string {
  const seconds = Math.round(Math.abs(differenceMs) / 1000);
  if (seconds === 0) return "the same as here";
  return `${seconds} s ${differenceMs < 0 ? "behind" : "ahead of"} this machine's`;
}
