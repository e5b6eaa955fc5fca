import { MemoryCatalog } from "../support/memory-catalog.ts";
import { describeCatalog } from "./catalog-contract.ts";

describeCatalog("the memory catalog", () => {
  const catalog = new MemoryCatalog();
  return Promise.resolve({
    catalog,
    reopen: () => Promise.resolve(new MemoryCatalog(catalog.rows)),
    dispose: () => Promise.resolve(),
  });
});
