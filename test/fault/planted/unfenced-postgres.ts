/*
 * A planted fault: loaded before the server, it takes the fence out of the statement that moves an
 * upload's offset in Postgres, so that whoever knows the offset may move it.
 */
import pg from "pg";

// Its overloads are handed on as they came, so that one signature does for them all.
const query = Reflect.get(pg.Client.prototype, "query") as (
  this: pg.Client,
  ...given: unknown[]
) => unknown;

Object.assign(pg.Client.prototype, {
  query(this: pg.Client, first: unknown, ...rest: unknown[]): unknown {
    return query.call(
      this,
      isAdvance(first) ? { ...first, text: unfenced(first) } : first,
      ...rest,
    );
  },
});

interface Advance {
  readonly text: string;
}

function isAdvance(given: unknown): given is Advance {
  if (typeof given !== "object" || given === null || !("text" in given)) return false;
  return typeof given.text === "string" && given.text.startsWith('with moved as (update "uploads"');
}

function unfenced({ text }: Advance): string {
  return text.replace(/ and "fence" = (\$\d+)/, " and cast($1 as text) is not null");
}
