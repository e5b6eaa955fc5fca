import pg from "pg";

/** Numbers of Postgres's own types; they are the same everywhere. */
const oids = { bytea: 17, int8: 20, numeric: 1700 };

/** How rows come: whole numbers as numbers, whatever their width, and bytes as plain arrays. */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format: "text" | "binary" = "text") => {
    if (oid === oids.int8 || oid === oids.numeric) return Number;
    const parse = (value: string): unknown => parserOf(oid, format)(value);
    if (oid !== oids.bytea) return parse;
    return (value: string) => new Uint8Array(parse(value) as Buffer); // its parser makes Buffers
  },
};

function parserOf(oid: number, format: "text" | "binary"): (value: string) => unknown {
  // Values come as text only; the types would have it known beforehand.
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}
