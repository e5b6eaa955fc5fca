import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { Statements, checkpoint, isFull, openForWriting } from "./sqlite-database.ts";
import type { Step, WriteCondition, WriterReply, WriterRequest } from "./sqlite-messages.ts";

/** Changes after which the log is copied into the database; well inside the room set aside. */
const changesPerCheckpoint = 200;
/** After which copying it may make room in it again: once it is known to be at its end. */
const changesPerFullLog = 10;

/**
 * The one writer. Requests that arrive while a commit is being synced form the next group: one
 * transaction, a savepoint each, one sync for all. Nothing is answered before its group is durable.
 */
class Writer {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #fences = new Map<string, string>();
  readonly #answer: (replies: readonly WriterReply[]) => void;
  #queue: WriterRequest[] = [];
  #scheduled = false;
  #changesSinceCheckpoint = 0;

  constructor(database: DatabaseSync, answer: (replies: readonly WriterReply[]) => void) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#answer = answer;
  }

  receive(requests: readonly WriterRequest[]): void {
    this.#queue.push(...requests);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commitGroup();
    });
  }

  #commitGroup(): void {
    const group = this.#queue;
    this.#queue = [];
    const replies = this.#commit(group);
    if (replies.length > 0) this.#answer(replies);
    this.#checkpointWhenDue();
    if (group.some((request) => request.kind === "close")) this.#close();
  }

  #commit(group: readonly WriterRequest[]): readonly WriterReply[] {
    try {
      const replies = group.flatMap((request) => this.#carryOut(request) ?? []);
      if (this.#database.isTransaction) this.#database.exec("commit");
      return replies;
    } catch (error) {
      // Anything but "full" leaves the outcome unknown: it reaches the top and ends the process.
      if (!isFull(error)) throw error;
      if (this.#database.isTransaction) this.#database.exec("rollback");
      // One change too large for the room that is left must not fail its neighbours.
      if (group.length > 1) return group.flatMap((request) => this.#commit([request]));
      if (this.#changesSinceCheckpoint >= changesPerFullLog) {
        this.#checkpoint();
        return this.#commit(group);
      }
      return group.flatMap((request) =>
        "number" in request ? [{ kind: "full", number: request.number }] : [],
      );
    }
  }

  #carryOut(request: WriterRequest): WriterReply | undefined {
    switch (request.kind) {
      case "take":
        this.#fences.set(request.id, request.fence);
        return { kind: "done", number: request.number, rows: this.#run(request.select).rows };
      case "fence":
        this.#fences.set(request.id, request.fence);
        return undefined;
      case "release":
        if (this.#fences.get(request.id) === request.fence) this.#fences.delete(request.id);
        return undefined;
      case "change":
        return this.#change(request.number, request.steps, request.only);
      case "close":
        return { kind: "done", number: request.number, rows: [] };
    }
  }

  #change(number: number, steps: readonly Step[], only: WriteCondition | undefined): WriterReply {
    if (only !== undefined && !this.#holds(only)) return { kind: "stale", number };
    if (!this.#database.isTransaction) this.#database.exec("begin immediate");
    this.#changesSinceCheckpoint += 1;
    this.#database.exec("savepoint one_change");
    let rows: readonly unknown[] = [];
    try {
      for (const step of steps) {
        const result = this.#run(step);
        if (result.changes < step.changesAtLeast) return this.#undo({ kind: "stale", number });
        if (result.rows.length > 0) rows = result.rows;
      }
    } catch (error) {
      // SQLite undoes the whole transaction on some errors: then every neighbour is undone too.
      if (isFull(error) || !this.#database.isTransaction) throw error;
      const message = error instanceof Error ? error.message : String(error);
      return this.#undo({ kind: "error", number, message });
    }
    this.#database.exec("release one_change");
    return { kind: "done", number, rows };
  }

  #undo(reply: WriterReply): WriterReply {
    this.#database.exec("rollback to one_change");
    this.#database.exec("release one_change");
    return reply;
  }

  #holds(only: WriteCondition): boolean {
    const current = this.#fences.get(only.id);
    switch (only.kind) {
      case "fenced":
        return current === only.fence;
      case "unless_fenced":
        return current !== only.fence;
      case "unfenced":
        return current === undefined;
    }
  }

  #run(step: Step): { rows: readonly unknown[]; changes: number } {
    const { statement, reader } = this.#statements.get(step.sql);
    if (reader) {
      const rows = statement.all(...step.parameters);
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(statement.run(...step.parameters).changes) };
  }

  #checkpointWhenDue(): void {
    if (this.#changesSinceCheckpoint < changesPerCheckpoint || this.#queue.length > 0) return;
    this.#checkpoint();
  }

  #checkpoint(): void {
    this.#changesSinceCheckpoint = 0;
    checkpoint(this.#database);
  }

  #close(): void {
    this.#database.close();
    parentPort?.close();
  }
}

async function main(path: string): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("sqlite-worker runs as a worker thread only");
  const answer = (replies: readonly WriterReply[]): void => {
    port.postMessage(replies);
  };
  try {
    const writer = new Writer(await openForWriting(path), answer);
    port.on("message", (requests: readonly WriterRequest[]) => {
      writer.receive(requests);
    });
    answer([{ kind: "opened" }]);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const message = String(cause instanceof Error ? cause.message : cause);
    answer([{ kind: "failed_to_open", message }]);
  }
}

await main(String(workerData));
