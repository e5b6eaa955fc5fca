/* A planted fault: a commit that moves an offset counts as made although the catalog refused it. */
import { isMainThread } from "node:worker_threads";

import { SqliteCatalog } from "../../../packages/server/src/catalog/sqlite.ts";

if (isMainThread) {
  const open = SqliteCatalog.open.bind(SqliteCatalog);
  SqliteCatalog.open = async (...parameters) => {
    const opened = await open(...parameters);
    const advance = opened.advance.bind(opened);
    opened.advance = (change) => advance(change).catch(() => "done");
    return opened;
  };
}
