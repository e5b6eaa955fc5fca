import { requireScope } from "../../access/scopes.ts";
import { append } from "../../engine/append.ts";
import { handleOf } from "../../engine/handle.ts";
import { fileOffsetOf } from "./fields.ts";
import { answerJson, headerPrincipalOf, type GraphRequest } from "./request.ts";
import { uploadOf, type UploadRoute } from "./session.ts";

/** POST /{version}/upload:{id} */
export async function appendBytes(request: GraphRequest, route: UploadRoute): Promise<void> {
  const { parts, exchange } = request;
  const after = await append(parts.engine, {
    id: await appendableId(request, route),
    offset: fileOffsetOf(exchange),
    body: exchange.body(),
    dialect: "graph",
    authorise: async () => {
      requireScope(await headerPrincipalOf(request), "append");
    },
  });
  exchange.logFacts.offset = after.offset;
  if (after.state === "complete") {
    await answerJson(request, { h: await handleOf(parts.engine, after) });
  } else {
    await answerJson(request, { id: parts.ids.format(after), file_offset: after.offset });
  }
}

/** The id alone: what was looked up to check it is not kept while the bytes come. */
async function appendableId(request: GraphRequest, route: UploadRoute): Promise<string> {
  const { upload, principal } = await uploadOf(request, route);
  requireScope(principal, "append");
  return upload.id;
}
