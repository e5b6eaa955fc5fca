/*
 * A planted fault: loaded before the server, it lets everybody write an upload at once. No newcomer
 * waits, nobody is asked to let go, and the catalog takes every fence for the current one.
 */
import { isMainThread } from "node:worker_threads";

import type { Catalog } from "../../../packages/server/src/catalog/catalog.ts";
import { SqliteCatalog } from "../../../packages/server/src/catalog/sqlite.ts";
import { type Lease, Leases } from "../../../packages/server/src/engine/lease.ts";

const fence = "everybody's";

if (isMainThread) {
  let catalog: Catalog | undefined;
  const open = SqliteCatalog.open.bind(SqliteCatalog);
  SqliteCatalog.open = async (...parameters) => {
    const opened = await open(...parameters);
    const advance = opened.advance.bind(opened);
    const end = opened.end.bind(opened);
    opened.advance = (change) => advance({ ...change, fence });
    opened.end = (change) => end({ ...change, fence });
    catalog = opened;
    return opened;
  };
  Leases.prototype.take = async (id): Promise<Lease> => {
    const upload = await catalog?.takeLease(id, fence);
    if (upload === undefined) throw new Error(`no upload ${id}`);
    const nothing = () => undefined;
    const yielding = { isAsked: false, onAsked: nothing, reads: nothing };
    return { fence, upload, takenAt: 0, yielding, release: () => Promise.resolve() };
  };
}
