import { jsonOf } from "../answer.ts";
import { couldNotLook, finding, ok, type Probe } from "../probe.ts";

/** Whether the server knows at which address its clients reach it. */
export const ownAddress: Probe = {
  name: "address",
  title: "the server knows the address that clients use",
  look: async (deployment) => {
    const id = await deployment.anUpload();
    const path = `${deployment.path(id)}&fields=url`;
    const { url } = jsonOf(await deployment.ask({ method: "GET", path }));
    if (typeof url !== "string") return couldNotLook("the server told no address");
    if (url.startsWith(`${deployment.url}/`)) return ok(deployment.url);
    const told = url.replace(/\/uploads\/[^/]*$/, "");
    return finding("address-unknown", `it was asked at ${deployment.url} and tells ${told}`);
  },
};
