import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { Kysely, SqliteDialect, type SqliteDatabase } from "kysely";
import type { Schema } from "./schema.ts";
import { Statements } from "./sqlite-database.ts";

/** Kysely's queries over Node's own SQLite. */
export function kyselyOver(
  database: DatabaseSync,
  statements = new Statements(database),
): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: new SqliteDialect({ database: asKyselyDatabase(database, statements) }),
  });
}

function asKyselyDatabase(database: DatabaseSync, statements: Statements): SqliteDatabase {
  return {
    close: () => {
      database.close();
    },
    prepare: (text) => {
      const { statement, reader } = statements.get(text);
      return {
        reader,
        all: (parameters) => statement.all(...asInputs(parameters)),
        run: (parameters) => statement.run(...asInputs(parameters)),
        iterate: (parameters) => statement.iterate(...asInputs(parameters)),
      };
    },
  };
}

function asInputs(parameters: readonly unknown[]): SQLInputValue[] {
  // The schema's column types are exactly SQLite's input types.
  return parameters as SQLInputValue[];
}
