import { afterAll, expect, test } from "vitest";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { SeededRandom } from "../support/seeded.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { CatalogRaces, type CarelessVerb } from "./catalog-races.ts";

const fault = "two nodes change one blob at once in Postgres";
const races = wholeNumber("HAWSER_CATALOG_RACES", 200);
const seed = wholeNumber("HAWSER_CATALOG_RACE_SEED", 20_261);

const databases = await PostgresDatabases.start();

if (typeof databases === "string") {
  test(fault, (context) => {
    context.skip(databases);
  });
} else {
  afterAll(() => databases.server.remove());

  test("no key is both doomed and shown, and none is lost", async () => {
    const setting = await CatalogRaces.open(databases, undefined);
    const random = new SeededRandom(seed);
    const outcomes = new Map<string, number>();
    for (let race = 0; race < races; race += 1) {
      const { problems, story } = await setting.race(random);
      expect(problems, `seed ${seed}, race ${race}: ${story.join("; ")}`).toEqual([]);
      for (const line of story) outcomes.set(line, (outcomes.get(line) ?? 0) + 1);
    }
    await setting.close();
    const met = [...outcomes].sort().map(([line, count]) => `${line}: ${count}`);
    await recordTrials({
      promise: "no key is both doomed and shown, and none is lost",
      fault,
      n: races,
      seed,
      met: met.join(", "),
    });
  });

  test.for<CarelessVerb>(["expireUploads", "removeFile", "finishAssembly"])(
    "the harness notices when %s goes by an older list of extents",
    async (careless) => {
      const setting = await CatalogRaces.open(databases, careless);
      const random = new SeededRandom(seed);
      let noticed: string | undefined;
      let race = 0;
      for (; race < 4_000 && noticed === undefined; race += 1) {
        noticed = (await setting.race(random)).problems[0];
      }
      await setting.close();
      expect(noticed).toBeDefined();
      const planted = `${careless} without the row's version`;
      await recordPlanted({ harness: fault, planted, noticedAfter: race, as: noticed ?? "" });
    },
  );
}
