import { expect, test } from "vitest";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { findFile } from "./look-up.ts";
import { findPreviewable } from "./preview.ts";

/** As one of Postgres is asked: it takes no text with a NUL. */
class StrictCatalog extends MemoryCatalog {
  override findFile(id: string) {
    return id.includes("\0") ? Promise.reject(new Error("invalid text")) : super.findFile(id);
  }

  override findUpload(id: string) {
    return id.includes("\0") ? Promise.reject(new Error("invalid text")) : super.findUpload(id);
  }
}

test.for(["\0", "1\0", "x", "", "12345"])("%j names nothing", async (id) => {
  const engine = engineOver(new StrictCatalog());
  const unknown = { code: "node_unknown" };
  await expect(findFile(engine, id, "1001")).rejects.toMatchObject(unknown);
  for (const kind of ["file", "upload"] as const) {
    const asked = findPreviewable(engine, { kind, id, mayKnow: () => true });
    await expect(asked).rejects.toMatchObject(unknown);
  }
});
