import pg from "pg";

/** Numbers of Postgres's own types; they are the same everywhere. */
const oids = { bytea: 17, int8: 20, numeric: 1700 };

/** Values come as text: nothing asks for binary ones. */
type Parser = (value: string) => unknown;

// Its types list the numbers it knows; it takes any.
const findParser = pg.types.getTypeParser as unknown as (oid: number, format?: string) => Parser;

/** How rows come: whole numbers as numbers, whatever their width, and bytes as plain arrays. */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary"): Parser => {
    if (oid === oids.int8 || oid === oids.numeric) return Number;
    const parse = findParser(oid, format);
    if (oid !== oids.bytea) return parse;
    return (value) => new Uint8Array(parse(value) as Buffer); // its parser makes Buffers
  },
};
