import type pg from "pg";
import { postgresTypes } from "./postgres-types.ts";

export const statementMsMax = 8_000;
const connectMsMax = 3_000;

/** How every connection is made. What is set here bounds whatever it may come to wait for. */
export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: "hawser",
    types: postgresTypes,
    connectionTimeoutMillis: connectMsMax,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    statement_timeout: statementMsMax,
    lock_timeout: 3_000,
    idle_in_transaction_session_timeout: 5_000,
  };
}
