import { afterAll, test } from "vitest";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { describeCatalog } from "./catalog-contract.ts";

const databases = await PostgresDatabases.start();

if (typeof databases === "string") {
  test("the Postgres catalog", (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());

  describeCatalog("the Postgres catalog", async () => {
    const name = await databases.create();
    const catalog = await databases.open(name);
    let current = catalog;
    return {
      catalog,
      reopen: async () => {
        await current.close();
        current = await databases.open(name);
        return current;
      },
      dispose: async () => {
        await current.close();
        await databases.server.dropDatabase(name);
      },
    };
  });
}
