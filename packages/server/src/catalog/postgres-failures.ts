import pg from "pg";

/**
 * What an error of Postgres or of the way to it means for the statement that met it:
 * `undone` it had no effect and may be tried again; `unknown` it may have had its effect;
 * `full` it had none, for want of room; `refused` it had none and never will.
 */
export type PostgresFailure = "undone" | "unknown" | "full" | "refused";

/** SQLSTATEs that undo a statement for reasons which pass. */
const passing = new Set([
  "40001", // serialization failure
  "40P01", // deadlock
  "55P03", // lock timeout
  "57014", // statement timeout
  "53200", // out of memory
  "53300", // too many connections
]);

/** SQLSTATEs after which the connection is of no more use: the server stops, starts, or follows. */
const lost = new Set(["57P01", "57P02", "57P03", "57P05", "25006"]);

export function failureOf(error: unknown): PostgresFailure {
  const state = sqlStateOf(error);
  if (state === "08P01" && isRefusedMessage(error)) return "refused";
  if (state === undefined || state.startsWith("08") || lost.has(state)) return "unknown";
  if (passing.has(state)) return "undone";
  return state === "53100" ? "full" : "refused";
}

/** The same for an error met before any statement was sent: there is nothing to be unknown. */
export function connectFailureOf(error: unknown): PostgresFailure {
  if (isRefusalOfParameters(error)) return "refused";
  const failure = failureOf(error);
  return failure === "unknown" ? "undone" : failure;
}

/**
 * A pooler does not pass on what a connection asks for when it begins. It says so with the state
 * that it uses for everything, so that its words must tell.
 */
function isRefusalOfParameters(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("unsupported startup parameter");
}

/** With what to do where the words of whoever refused would not tell. */
export function explained(error: unknown): unknown {
  if (!isRefusalOfParameters(error)) return error;
  return new Error(
    "a pooler before Postgres refuses the limits that a connection asks for: give PgBouncer " +
      "ignore_startup_parameters = statement_timeout,lock_timeout," +
      "idle_in_transaction_session_timeout, and set them for the role instead",
    { cause: error },
  );
}

/**
 * A server that says so as an ERROR goes on with the connection, and did nothing. A pooler uses the
 * same state for whatever befalls it, and no pooler names a routine.
 */
function isRefusedMessage(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.severity === "ERROR" && error.routine !== undefined;
}

/** Five characters where the server itself spoke; Node's own codes look otherwise. */
function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : undefined;
}
